-- The ledger says of an original that it was removed, and of a refused row that its text was, both past their time in
-- retention.yml.
alter table ops.load add column if not exists archive_removed_at timestamptz;
alter table ops.quarantine add column if not exists values_removed_at timestamptz;
