-- Times are whole microseconds since 1970 in UTC, quantities whole millionths, ids 16 bytes.
-- Sums are pairs: whole = floor(sum / 1000000), micros = the rest, 0 to 999999. They are bounded so
-- that adding two of them cannot leave the range of an INTEGER and become a rounded REAL.
-- In keys of internal tables an empty text stands for "none"; no code is empty.

CREATE TABLE schema_migrations (
    version    INTEGER NOT NULL PRIMARY KEY,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE store_meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Lookups, shared by all namespaces.

CREATE TABLE account_types (
    account_type_code TEXT NOT NULL PRIMARY KEY,
    description       TEXT NOT NULL,
    can_have_children INTEGER NOT NULL CHECK (can_have_children IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE units (
    unit_code      TEXT NOT NULL PRIMARY KEY,
    unit_category  TEXT NOT NULL,
    description    TEXT NOT NULL,
    scale          INTEGER NOT NULL CHECK (scale BETWEEN 0 AND 6),
    base_unit_code TEXT NOT NULL,
    base_factor    INTEGER NOT NULL CHECK (base_factor >= 1)
) STRICT, WITHOUT ROWID;

CREATE TABLE limit_kinds (
    limit_kind_code TEXT NOT NULL PRIMARY KEY,
    description     TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE window_types (
    window_type_code TEXT NOT NULL PRIMARY KEY,
    description      TEXT NOT NULL,
    mode             TEXT NOT NULL CHECK (mode IN ('calendar', 'anniversary', 'rolling', 'none')),
    period_unit      TEXT CHECK (period_unit IN ('minute', 'hour', 'day', 'week', 'month', 'year')),
    period_count     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE limit_actions (
    limit_action_code TEXT NOT NULL PRIMARY KEY,
    description       TEXT NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO limit_kinds (limit_kind_code, description) VALUES
    ('cumulative', 'Consumption within a window'),
    ('concurrency', 'Slots of live leases'),
    ('inventory', 'The all-time net sum'),
    ('time_access', 'Access while in force, without a quantity');

INSERT INTO limit_actions (limit_action_code, description) VALUES
    ('block', 'Refuse'),
    ('warn', 'Let through with a warning'),
    ('grace', 'Let through within a grace quantity and time'),
    ('overage', 'Let through as paid overage');

-- The catalogue of a namespace.

CREATE TABLE catalogue_versions (
    namespace_id TEXT NOT NULL PRIMARY KEY,
    version      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE resource_types (
    namespace_id       TEXT NOT NULL,
    resource_type_code TEXT NOT NULL,
    description        TEXT NOT NULL,
    default_unit_code  TEXT NOT NULL REFERENCES units,
    is_inventory       INTEGER NOT NULL CHECK (is_inventory IN (0, 1)),
    is_concurrency     INTEGER NOT NULL CHECK (is_concurrency IN (0, 1)),
    is_time_bound      INTEGER NOT NULL CHECK (is_time_bound IN (0, 1)),
    PRIMARY KEY (namespace_id, resource_type_code)
) STRICT, WITHOUT ROWID;

CREATE TABLE resource_type_allowed_units (
    namespace_id       TEXT NOT NULL,
    resource_type_code TEXT NOT NULL,
    unit_code          TEXT NOT NULL REFERENCES units,
    position           INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, resource_type_code, unit_code),
    FOREIGN KEY (namespace_id, resource_type_code) REFERENCES resource_types ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE plans (
    namespace_id TEXT NOT NULL,
    plan_id      TEXT NOT NULL,
    plan_name    TEXT NOT NULL,
    description  TEXT NOT NULL,
    is_trial     INTEGER NOT NULL CHECK (is_trial IN (0, 1)),
    trial_days   INTEGER,
    is_addon     INTEGER NOT NULL CHECK (is_addon IN (0, 1)),
    external_id  TEXT,
    status       TEXT NOT NULL CHECK (status IN ('active', 'archived')),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, plan_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_entitlement_templates (
    namespace_id       TEXT NOT NULL,
    template_id        BLOB NOT NULL,
    plan_id            TEXT NOT NULL,
    position           INTEGER NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    limit_kind_code    TEXT NOT NULL REFERENCES limit_kinds,
    quantity_allowed   INTEGER,
    per_seat           INTEGER NOT NULL CHECK (per_seat IN (0, 1)),
    unit_code          TEXT NOT NULL REFERENCES units,
    window_type_code   TEXT NOT NULL REFERENCES window_types,
    duration_days      INTEGER,
    priority           INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, template_id),
    FOREIGN KEY (namespace_id, plan_id) REFERENCES plans ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE control_rules (
    namespace_id       TEXT NOT NULL,
    rule_id            BLOB NOT NULL,
    rule_name          TEXT NOT NULL,
    position           INTEGER NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    limit_kind_code    TEXT NOT NULL REFERENCES limit_kinds,
    limit_action_code  TEXT NOT NULL REFERENCES limit_actions,
    warn_at_percent    INTEGER,
    grace_quantity     INTEGER,
    grace_window_hours INTEGER,
    overage_multiplier INTEGER,
    priority           INTEGER NOT NULL,
    is_active          INTEGER NOT NULL CHECK (is_active IN (0, 1)),
    created_at         INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, rule_id),
    UNIQUE (namespace_id, rule_name)
) STRICT, WITHOUT ROWID;

CREATE TABLE control_rule_conditions (
    namespace_id    TEXT NOT NULL,
    rule_id         BLOB NOT NULL,
    position        INTEGER NOT NULL,
    condition_key   TEXT NOT NULL,
    condition_op    TEXT NOT NULL,
    condition_value TEXT,
    PRIMARY KEY (namespace_id, rule_id, position),
    FOREIGN KEY (namespace_id, rule_id) REFERENCES control_rules ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Accounts.

CREATE TABLE accounts (
    namespace_id      TEXT NOT NULL,
    account_id        BLOB NOT NULL CHECK (length(account_id) = 16),
    account_type_code TEXT NOT NULL REFERENCES account_types,
    parent_account_id BLOB,
    -- The owner of its tree, so that finding the tree walks nothing.
    owner_account_id  BLOB NOT NULL,
    -- Whether its counters may hold more than its own use.
    has_had_children  INTEGER NOT NULL DEFAULT 0 CHECK (has_had_children IN (0, 1)),
    external_id       TEXT,
    display_name      TEXT,
    email             TEXT,
    timezone          TEXT,
    metadata          TEXT NOT NULL,
    status            TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'inactive')),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, account_id),
    FOREIGN KEY (namespace_id, parent_account_id) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX accounts_by_external_id ON accounts (namespace_id, external_id)
    WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_parent ON accounts (namespace_id, parent_account_id)
    WHERE parent_account_id IS NOT NULL;

CREATE TABLE account_external_ids (
    namespace_id TEXT NOT NULL,
    external_id  TEXT NOT NULL,
    provider     TEXT NOT NULL,
    account_id   BLOB NOT NULL,
    PRIMARY KEY (namespace_id, external_id, provider),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE TABLE subscriptions (
    namespace_id         TEXT NOT NULL,
    subscription_id      BLOB NOT NULL,
    account_id           BLOB NOT NULL,
    plan_id              TEXT NOT NULL,
    external_id          TEXT,
    status               TEXT NOT NULL CHECK (status IN ('active', 'trialing', 'canceled')),
    quantity             INTEGER NOT NULL CHECK (quantity >= 1),
    current_period_start INTEGER NOT NULL,
    current_period_end   INTEGER,
    cancel_at            INTEGER,
    created_at           INTEGER NOT NULL,
    updated_at           INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, subscription_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts,
    FOREIGN KEY (namespace_id, plan_id) REFERENCES plans
) STRICT, WITHOUT ROWID;

CREATE INDEX subscriptions_by_account ON subscriptions (namespace_id, account_id);

-- Entitlements.

CREATE TABLE entitlements (
    namespace_id       TEXT NOT NULL,
    entitlement_id     BLOB NOT NULL,
    account_id         BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    limit_kind_code    TEXT NOT NULL REFERENCES limit_kinds,
    quantity_allowed   INTEGER,
    unit_code          TEXT NOT NULL REFERENCES units,
    effective_start    INTEGER NOT NULL,
    effective_end      INTEGER,
    window_type_code   TEXT NOT NULL REFERENCES window_types,
    window_anchor      INTEGER,
    plan_id            TEXT,
    template_id        BLOB,
    subscription_id    BLOB,
    usage_from         INTEGER,
    priority           INTEGER NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'expired', 'superseded')),
    version            INTEGER NOT NULL,
    superseded_by      BLOB,
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, entitlement_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE INDEX entitlements_by_account ON entitlements (namespace_id, account_id);

CREATE TABLE entitlement_conditions (
    namespace_id    TEXT NOT NULL,
    entitlement_id  BLOB NOT NULL,
    position        INTEGER NOT NULL,
    condition_key   TEXT NOT NULL,
    condition_op    TEXT NOT NULL,
    condition_value TEXT,
    PRIMARY KEY (namespace_id, entitlement_id, position),
    FOREIGN KEY (namespace_id, entitlement_id) REFERENCES entitlements ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE entitlements_audit (
    namespace_id   TEXT NOT NULL,
    audit_id       BLOB NOT NULL,
    entitlement_id BLOB NOT NULL,
    operation      TEXT NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')),
    old_values     TEXT,
    new_values     TEXT,
    changed_by     TEXT NOT NULL,
    changed_at     INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, audit_id)
) STRICT, WITHOUT ROWID;

-- Metering.

-- Event ids rise, so rows are appended. The foreign key to resource_types is left out on purpose:
-- to delete a resource type would scan the ledger; usage_counters tells whether one is in use.
CREATE TABLE consumption_ledger (
    namespace_id       TEXT NOT NULL,
    event_id           BLOB NOT NULL CHECK (length(event_id) = 16),
    idempotency_key    TEXT,
    account_id         BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    quantity           INTEGER NOT NULL,
    unit_code          TEXT NOT NULL,
    occurred_at        INTEGER NOT NULL,
    period_start       INTEGER,
    period_end         INTEGER,
    is_correction      INTEGER NOT NULL CHECK (is_correction = (corrects_event_id IS NOT NULL)),
    corrects_event_id  BLOB,
    created_at         INTEGER NOT NULL,
    owner_account_id   BLOB NOT NULL,
    -- The accounts above the user of it when it was recorded, nearest first, 16 bytes each.
    recorded_under     BLOB NOT NULL CHECK (length(recorded_under) % 16 = 0),
    chain_id           BLOB NOT NULL,
    chain_seq          INTEGER NOT NULL CHECK (chain_seq >= 1),
    chain_hash         BLOB NOT NULL CHECK (length(chain_hash) = 32),
    PRIMARY KEY (namespace_id, event_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE INDEX consumption_ledger_by_account
    ON consumption_ledger (namespace_id, account_id, resource_type_code, occurred_at);
CREATE INDEX consumption_ledger_by_corrected
    ON consumption_ledger (namespace_id, corrects_event_id) WHERE corrects_event_id IS NOT NULL;

CREATE TABLE consumption_event_details (
    namespace_id TEXT NOT NULL,
    event_id     BLOB NOT NULL,
    detail_key   TEXT NOT NULL,
    detail_value TEXT NOT NULL,
    PRIMARY KEY (namespace_id, event_id, detail_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE grants (
    namespace_id       TEXT NOT NULL,
    grant_id           BLOB NOT NULL,
    account_id         BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    window_type_code   TEXT NOT NULL REFERENCES window_types,
    quantity           INTEGER NOT NULL,
    unit_code          TEXT NOT NULL REFERENCES units,
    remaining_whole    INTEGER NOT NULL CHECK (remaining_whole >= 0),
    remaining_micros   INTEGER NOT NULL CHECK (remaining_micros BETWEEN 0 AND 999999),
    priority           INTEGER NOT NULL,
    expires_at         INTEGER,
    reason             TEXT,
    voided_at          INTEGER,
    created_at         INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, grant_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE INDEX grants_by_account
    ON grants (namespace_id, account_id, resource_type_code, window_type_code);
CREATE INDEX grants_open_by_account ON grants (namespace_id, account_id)
    WHERE voided_at IS NULL AND (remaining_whole > 0 OR remaining_micros > 0);

-- What each event drew from each grant and was not given back.
CREATE TABLE grant_draws (
    namespace_id TEXT NOT NULL,
    event_id     BLOB NOT NULL,
    grant_id     BLOB NOT NULL,
    -- The order of the first draws of one event.
    ordinal      INTEGER NOT NULL,
    whole        INTEGER NOT NULL,
    micros       INTEGER NOT NULL CHECK (micros BETWEEN 0 AND 999999),
    PRIMARY KEY (namespace_id, event_id, grant_id),
    FOREIGN KEY (namespace_id, grant_id) REFERENCES grants,
    CONSTRAINT sum_in_range CHECK (whole BETWEEN -4611686018427387904 AND 4611686018427387903)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
    namespace_id       TEXT NOT NULL,
    reservation_id     BLOB NOT NULL,
    account_id         BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    quantity           INTEGER NOT NULL,
    unit_code          TEXT NOT NULL,
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    status             TEXT NOT NULL CHECK (status IN ('open', 'committed', 'released')),
    event_id           BLOB,
    committed_quantity INTEGER,
    grant_holds        TEXT NOT NULL,
    PRIMARY KEY (namespace_id, reservation_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_open_by_account ON reservations (namespace_id, account_id, expires_at)
    WHERE status = 'open';

-- With a rowid, unlike its neighbours: keys arrive in random order and answers are long, so a small
-- index takes the random writes and the rows themselves are appended.
CREATE TABLE idempotency_keys (
    namespace_id TEXT NOT NULL,
    key_hash     BLOB NOT NULL CHECK (length(key_hash) = 16),
    "key"        TEXT NOT NULL,
    rpc          TEXT NOT NULL,
    args_hash    BLOB NOT NULL CHECK (length(args_hash) = 32),
    event_id     BLOB,
    answer       TEXT,
    created_at   INTEGER NOT NULL,
    UNIQUE (namespace_id, key_hash)
) STRICT;

-- Controls.

CREATE TABLE concurrency_leases (
    namespace_id       TEXT NOT NULL,
    lease_id           BLOB NOT NULL,
    account_id         BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    slots              INTEGER NOT NULL CHECK (slots >= 1),
    fencing_token      INTEGER NOT NULL,
    acquired_at        INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    last_heartbeat     INTEGER NOT NULL,
    released_at        INTEGER,
    session_token      TEXT,
    session_metadata   TEXT,
    ttl_seconds        INTEGER NOT NULL,
    decision           TEXT NOT NULL,
    created_at         INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, lease_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
) STRICT, WITHOUT ROWID;

CREATE INDEX concurrency_leases_held_by_account
    ON concurrency_leases (namespace_id, account_id, expires_at) WHERE released_at IS NULL;

-- usage_at_decision, limit_at_decision and percent_used are decimal texts: they are sums, which an
-- INTEGER of millionths cannot hold.
CREATE TABLE control_decisions_log (
    namespace_id       TEXT NOT NULL,
    decision_id        BLOB NOT NULL,
    account_id         BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    requested_quantity INTEGER NOT NULL,
    unit_code          TEXT,
    decision           TEXT NOT NULL CHECK (decision IN ('allow', 'warn', 'grace', 'overage', 'deny')),
    code               TEXT NOT NULL,
    reason             TEXT NOT NULL,
    rule_id            BLOB,
    entitlement_id     BLOB,
    usage_at_decision  TEXT,
    limit_at_decision  TEXT,
    percent_used       TEXT,
    request_id         TEXT,
    decided_at         INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, decision_id)
) STRICT, WITHOUT ROWID;

-- Projections: what decisions read instead of the ledger, written in the same commit.

CREATE TABLE trees (
    namespace_id  TEXT NOT NULL,
    tree_id       BLOB NOT NULL,
    chain_id      BLOB NOT NULL,
    chain_seq     INTEGER NOT NULL,
    chain_hash    BLOB NOT NULL CHECK (length(chain_hash) = 32),
    fencing_token INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    version       INTEGER NOT NULL,
    PRIMARY KEY (namespace_id, tree_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tree_scopes (
    namespace_id       TEXT NOT NULL,
    tree_id            BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT NOT NULL,
    PRIMARY KEY (namespace_id, tree_id, resource_type_code, resource_scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_counters (
    counter_id         INTEGER PRIMARY KEY,
    namespace_id       TEXT NOT NULL,
    resource_type_code TEXT NOT NULL,
    level_id           BLOB NOT NULL,
    -- Empty: all scopes together.
    resource_scope     TEXT NOT NULL,
    -- Empty: usage. Else what was drawn from grants of this window type.
    drawn_for          TEXT NOT NULL,
    UNIQUE (namespace_id, resource_type_code, level_id, drawn_for, resource_scope)
) STRICT;

CREATE TABLE usage_buckets (
    counter_id   INTEGER NOT NULL,
    -- 0 the total, 1 a day, 2 an hour, 3 a minute or the part of one from which usage counts anew.
    granularity  INTEGER NOT NULL CHECK (granularity BETWEEN 0 AND 3),
    bucket_start INTEGER NOT NULL,
    whole        INTEGER NOT NULL,
    micros       INTEGER NOT NULL CHECK (micros BETWEEN 0 AND 999999),
    PRIMARY KEY (counter_id, granularity, bucket_start),
    CONSTRAINT sum_in_range CHECK (whole BETWEEN -4611686018427387904 AND 4611686018427387903)
) STRICT, WITHOUT ROWID;

CREATE TABLE own_totals (
    namespace_id       TEXT NOT NULL,
    level_id           BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT NOT NULL,
    whole              INTEGER NOT NULL,
    micros             INTEGER NOT NULL CHECK (micros BETWEEN 0 AND 999999),
    PRIMARY KEY (namespace_id, level_id, resource_type_code, resource_scope),
    CONSTRAINT sum_in_range CHECK (whole BETWEEN -4611686018427387904 AND 4611686018427387903)
) STRICT, WITHOUT ROWID;

CREATE TABLE open_holds (
    namespace_id       TEXT NOT NULL,
    level_id           BLOB NOT NULL,
    -- 0 a lease, 1 a reservation.
    kind               INTEGER NOT NULL CHECK (kind IN (0, 1)),
    hold_id            BLOB NOT NULL,
    tree_id            BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    resource_scope     TEXT,
    whole              INTEGER NOT NULL,
    micros             INTEGER NOT NULL CHECK (micros BETWEEN 0 AND 999999),
    created_at         INTEGER NOT NULL,
    expires_at         INTEGER NOT NULL,
    grants             TEXT NOT NULL,
    PRIMARY KEY (namespace_id, level_id, kind, hold_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX open_holds_by_expiry ON open_holds (namespace_id, tree_id, expires_at);

CREATE TABLE grace_clocks (
    namespace_id       TEXT NOT NULL,
    level_id           BLOB NOT NULL,
    resource_type_code TEXT NOT NULL,
    limit_kind_code    TEXT NOT NULL,
    window_type_code   TEXT NOT NULL,
    resource_scope     TEXT NOT NULL,
    since              INTEGER NOT NULL,
    window_start       INTEGER,
    PRIMARY KEY (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code, resource_scope)
) STRICT, WITHOUT ROWID;

INSERT INTO store_meta (name, value) VALUES ('fencing_epoch', 0), ('seeded', 0), ('probe', 0);
