-- Addresses moved to ops.load_source; warehouses made before have an index on them that nothing uses.
drop index if exists ops.load_by_source;
