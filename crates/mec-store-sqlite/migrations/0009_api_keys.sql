-- Keys of programs that have no issuer of tokens. A key that acts in all namespaces has the namespace *.
-- A key stays what it was made; it is revoked, never taken out.

CREATE TABLE api_keys (
    namespace_id TEXT NOT NULL,
    key_id       BLOB NOT NULL CHECK (length(key_id) = 16),
    key_name     TEXT NOT NULL,
    role         TEXT NOT NULL CHECK (role IN ('mec_user', 'mec_service', 'mec_admin')),
    account_id   BLOB CHECK (length(account_id) = 16),
    secret_hash  BLOB NOT NULL CHECK (length(secret_hash) = 32),
    created_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER,
    PRIMARY KEY (namespace_id, key_id),
    CHECK (namespace_id <> '*' OR role = 'mec_admin'),
    CHECK (account_id IS NULL OR role = 'mec_user')
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_by_id ON api_keys (key_id);
CREATE INDEX api_keys_by_time ON api_keys (namespace_id, created_at, key_id) WHERE revoked_at IS NULL;

CREATE TRIGGER api_keys_no_replace BEFORE INSERT ON api_keys
WHEN EXISTS (SELECT 1 FROM api_keys WHERE key_id = NEW.key_id)
BEGIN SELECT RAISE(ABORT, 'a key stays what it was made'); END;
CREATE TRIGGER api_keys_no_change BEFORE UPDATE ON api_keys
WHEN (OLD.namespace_id, OLD.key_id, OLD.key_name, OLD.role, OLD.account_id, OLD.secret_hash, OLD.created_by,
        OLD.created_at, OLD.expires_at)
    IS NOT (NEW.namespace_id, NEW.key_id, NEW.key_name, NEW.role, NEW.account_id, NEW.secret_hash, NEW.created_by,
        NEW.created_at, NEW.expires_at)
    OR (OLD.revoked_at IS NOT NULL AND OLD.revoked_at IS NOT NEW.revoked_at)
BEGIN SELECT RAISE(ABORT, 'a key stays what it was made'); END;
CREATE TRIGGER api_keys_no_delete BEFORE DELETE ON api_keys
BEGIN SELECT RAISE(ABORT, 'a key stays what it was made'); END;
