-- Marts with a row per person, household or group repeated the date of the build, and rewrote every row for it each
-- night; marts.build_date says it. The marts are the transformer's; dbt makes whatever is missing.
set local role doudi_transformer;
alter table if exists marts.person drop column if exists as_of;
alter table if exists marts.household drop column if exists as_of, drop column if exists income_on;
alter table if exists marts.special_group drop column if exists as_of;
alter table if exists marts.visit_list drop column if exists as_of;
alter table if exists marts.household_visit_list drop column if exists as_of;
alter table if exists marts.public_notice drop column if exists as_of;
set local role doudi_owner;
