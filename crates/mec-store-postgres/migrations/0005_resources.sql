-- What the resources of the API need: the service reads as its callers, and the ledger is paged by time.

SET LOCAL search_path TO mec, pg_temp;

-- The service becomes one of these for the length of a transaction. It inherits nothing of them.
GRANT mec_anon, mec_user, mec_service, mec_admin TO mec_engine;
-- To prepare a statement the names in it must be known; what it reads is the caller's to read.
GRANT USAGE ON SCHEMA api TO mec_engine;

-- Where no account is named, events are told in the order of their time.
CREATE INDEX consumption_ledger_by_time ON consumption_ledger (namespace_id, occurred_at, event_id);
