-- Each register has a table of its own beside it, in schema other_text. Of lists in another form than their register's
-- the next one is read in full once, and noted there.
drop table if exists ops.known_text;
