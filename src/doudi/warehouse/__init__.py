"""The Postgres that everything lives in: the embedded server, connections, schemas."""
