-- The accounts that stood below a level and have moved away: what was recorded stays with the level,
-- and this says whose events to look at where a series is told by account or by detail.

CREATE TABLE former_descendants (
    namespace_id TEXT NOT NULL,
    level_id     BLOB NOT NULL,
    account_id   BLOB NOT NULL,
    PRIMARY KEY (namespace_id, level_id, account_id)
) STRICT, WITHOUT ROWID;
