-- A look into ops.load for each person whom a delivery touches cost more than writing the person down.
alter table ops.touched_person drop constraint if exists touched_person_load_id_fkey;
drop index if exists ops.touched_person_by_load;
