-- Keys of programs that have no issuer of tokens. A key that acts in all namespaces has the namespace *.
-- A key stays what it was made; it is revoked, never taken out. Nobody but the service reads them.

SET LOCAL search_path TO mec, pg_temp;

CREATE TABLE api_keys (
    namespace_id text NOT NULL,
    key_id       uuid NOT NULL,
    key_name     text NOT NULL,
    role         text NOT NULL CHECK (role IN ('mec_user', 'mec_service', 'mec_admin')),
    account_id   uuid,
    secret_hash  bytea NOT NULL CHECK (length(secret_hash) = 32),
    created_by   text NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (namespace_id, key_id),
    CHECK (namespace_id <> '*' OR role = 'mec_admin'),
    CHECK (account_id IS NULL OR role = 'mec_user')
);
CREATE INDEX api_keys_by_id ON api_keys (key_id);
CREATE INDEX api_keys_by_xid ON api_keys (xid);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY engine ON api_keys TO mec_engine USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON api_keys TO mec_engine;
GRANT UPDATE (revoked_at, last_used_at, xid) ON api_keys TO mec_engine;
