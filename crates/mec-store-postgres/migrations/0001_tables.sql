-- The tables. Every key begins with namespace_id, so that the schema also distributes. Sums are
-- numeric(38, 6): exact, and bounded as in the embedded store, so that both refuse the same. Where an empty text stands in
-- a key it means "none"; no code is empty.

CREATE SCHEMA mec;
SET LOCAL search_path TO mec, pg_temp;

CREATE TABLE store_meta (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);
INSERT INTO store_meta (name, value) VALUES
    ('fencing_epoch', 0), ('seeded', 0), ('probe', 0), ('tree_log_begin', 0), ('decisions_drop_before', 0), ('audit_drop_before', 0);

-- Lookups, shared by all namespaces.

CREATE TABLE account_types (
    account_type_code text PRIMARY KEY,
    description       text NOT NULL,
    can_have_children boolean NOT NULL
);

CREATE TABLE units (
    unit_code      text PRIMARY KEY,
    unit_category  text NOT NULL,
    description    text NOT NULL,
    scale          bigint NOT NULL CHECK (scale BETWEEN 0 AND 6),
    base_unit_code text NOT NULL,
    base_factor    bigint NOT NULL CHECK (base_factor >= 1)
);

CREATE TABLE limit_kinds (
    limit_kind_code text PRIMARY KEY,
    description     text NOT NULL
);
INSERT INTO limit_kinds (limit_kind_code, description) VALUES
    ('cumulative', 'Consumption within a window'),
    ('concurrency', 'Slots of live leases'),
    ('inventory', 'The all-time net sum'),
    ('time_access', 'Access while in force, without a quantity');

CREATE TABLE window_types (
    window_type_code text PRIMARY KEY,
    description      text NOT NULL,
    mode             text NOT NULL CHECK (mode IN ('calendar', 'anniversary', 'rolling', 'none')),
    period_unit      text CHECK (period_unit IN ('minute', 'hour', 'day', 'week', 'month', 'year')),
    period_count     bigint NOT NULL
);

CREATE TABLE limit_actions (
    limit_action_code text PRIMARY KEY,
    description       text NOT NULL
);
INSERT INTO limit_actions (limit_action_code, description) VALUES
    ('block', 'Refuse'),
    ('warn', 'Let through with a warning'),
    ('grace', 'Let through within a grace quantity and time'),
    ('overage', 'Let through as paid overage');

-- The catalogue of a namespace.

CREATE TABLE catalogue_versions (
    namespace_id text PRIMARY KEY,
    version      bigint NOT NULL,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id()
);

CREATE TABLE resource_types (
    namespace_id       text NOT NULL,
    resource_type_code text NOT NULL,
    description        text NOT NULL,
    default_unit_code  text NOT NULL REFERENCES units,
    is_inventory       boolean NOT NULL,
    is_concurrency     boolean NOT NULL,
    is_time_bound      boolean NOT NULL,
    PRIMARY KEY (namespace_id, resource_type_code)
);

CREATE TABLE resource_type_allowed_units (
    namespace_id       text NOT NULL,
    resource_type_code text NOT NULL,
    unit_code          text NOT NULL REFERENCES units,
    position           bigint NOT NULL,
    PRIMARY KEY (namespace_id, resource_type_code, unit_code),
    FOREIGN KEY (namespace_id, resource_type_code) REFERENCES resource_types ON DELETE CASCADE
);

CREATE TABLE plans (
    namespace_id text NOT NULL,
    plan_id      text NOT NULL,
    plan_name    text NOT NULL,
    description  text NOT NULL,
    is_trial     boolean NOT NULL,
    trial_days   bigint,
    is_addon     boolean NOT NULL,
    external_id  text,
    status       text NOT NULL CHECK (status IN ('active', 'archived')),
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, plan_id)
);

CREATE TABLE plan_entitlement_templates (
    namespace_id       text NOT NULL,
    template_id        uuid NOT NULL,
    plan_id            text NOT NULL,
    position           bigint NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    limit_kind_code    text NOT NULL REFERENCES limit_kinds,
    quantity_allowed   numeric(18, 6),
    per_seat           boolean NOT NULL,
    unit_code          text NOT NULL REFERENCES units,
    window_type_code   text NOT NULL REFERENCES window_types,
    duration_days      bigint,
    priority           bigint NOT NULL,
    PRIMARY KEY (namespace_id, template_id),
    FOREIGN KEY (namespace_id, plan_id) REFERENCES plans ON DELETE CASCADE
);
CREATE INDEX plan_entitlement_templates_by_plan ON plan_entitlement_templates (namespace_id, plan_id);

CREATE TABLE control_rules (
    namespace_id       text NOT NULL,
    rule_id            uuid NOT NULL,
    rule_name          text NOT NULL,
    position           bigint NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    limit_kind_code    text NOT NULL REFERENCES limit_kinds,
    limit_action_code  text NOT NULL REFERENCES limit_actions,
    warn_at_percent    numeric(18, 6),
    grace_quantity     numeric(18, 6),
    grace_window_hours bigint,
    overage_multiplier numeric(18, 6),
    priority           bigint NOT NULL,
    is_active          boolean NOT NULL,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, rule_id),
    UNIQUE (namespace_id, rule_name)
);

CREATE TABLE control_rule_conditions (
    namespace_id    text NOT NULL,
    rule_id         uuid NOT NULL,
    position        bigint NOT NULL,
    condition_key   text NOT NULL,
    condition_op    text NOT NULL,
    condition_value text,
    PRIMARY KEY (namespace_id, rule_id, position),
    FOREIGN KEY (namespace_id, rule_id) REFERENCES control_rules ON DELETE CASCADE
);

-- Accounts.

CREATE TABLE accounts (
    namespace_id      text NOT NULL,
    account_id        uuid NOT NULL,
    account_type_code text NOT NULL REFERENCES account_types,
    parent_account_id uuid,
    -- The owner of its tree, so that finding the tree walks nothing.
    owner_account_id  uuid NOT NULL,
    -- Whether its counters may hold more than its own use.
    has_had_children  boolean NOT NULL DEFAULT false,
    external_id       text,
    display_name      text,
    email             text,
    timezone          text,
    metadata          jsonb NOT NULL,
    status            text NOT NULL CHECK (status IN ('active', 'suspended', 'inactive')),
    created_at        timestamptz NOT NULL,
    updated_at        timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, account_id),
    FOREIGN KEY (namespace_id, parent_account_id) REFERENCES accounts
);
CREATE UNIQUE INDEX accounts_by_external_id ON accounts (namespace_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX accounts_by_parent ON accounts (namespace_id, parent_account_id) WHERE parent_account_id IS NOT NULL;

CREATE TABLE account_external_ids (
    namespace_id text NOT NULL,
    external_id  text NOT NULL,
    provider     text NOT NULL,
    account_id   uuid NOT NULL,
    PRIMARY KEY (namespace_id, external_id, provider),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
);

CREATE TABLE subscriptions (
    namespace_id         text NOT NULL,
    subscription_id      uuid NOT NULL,
    account_id           uuid NOT NULL,
    plan_id              text NOT NULL,
    external_id          text,
    status               text NOT NULL CHECK (status IN ('active', 'trialing', 'canceled')),
    quantity             bigint NOT NULL CHECK (quantity >= 1),
    current_period_start timestamptz NOT NULL,
    current_period_end   timestamptz,
    cancel_at            timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, subscription_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts,
    FOREIGN KEY (namespace_id, plan_id) REFERENCES plans
);
CREATE INDEX subscriptions_by_account ON subscriptions (namespace_id, account_id);
CREATE INDEX subscriptions_by_plan ON subscriptions (namespace_id, plan_id);

-- Entitlements.

CREATE TABLE entitlements (
    namespace_id       text NOT NULL,
    entitlement_id     uuid NOT NULL,
    account_id         uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    limit_kind_code    text NOT NULL REFERENCES limit_kinds,
    quantity_allowed   numeric(18, 6),
    unit_code          text NOT NULL REFERENCES units,
    effective_start    timestamptz NOT NULL,
    effective_end      timestamptz,
    window_type_code   text NOT NULL REFERENCES window_types,
    window_anchor      timestamptz,
    plan_id            text,
    template_id        uuid,
    subscription_id    uuid,
    usage_from         timestamptz,
    priority           bigint NOT NULL,
    status             text NOT NULL CHECK (status IN ('active', 'suspended', 'expired', 'superseded')),
    version            bigint NOT NULL,
    superseded_by      uuid,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, entitlement_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
);
CREATE INDEX entitlements_by_account ON entitlements (namespace_id, account_id);
CREATE INDEX entitlements_by_plan ON entitlements (namespace_id, plan_id) WHERE plan_id IS NOT NULL;

CREATE TABLE entitlement_conditions (
    namespace_id    text NOT NULL,
    entitlement_id  uuid NOT NULL,
    position        bigint NOT NULL,
    condition_key   text NOT NULL,
    condition_op    text NOT NULL,
    condition_value text,
    PRIMARY KEY (namespace_id, entitlement_id, position),
    FOREIGN KEY (namespace_id, entitlement_id) REFERENCES entitlements ON DELETE CASCADE
);

CREATE TABLE entitlements_audit (
    namespace_id   text NOT NULL,
    audit_id       uuid NOT NULL,
    entitlement_id uuid NOT NULL,
    operation      text NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')),
    old_values     jsonb,
    new_values     jsonb,
    changed_by     text NOT NULL,
    changed_at     timestamptz NOT NULL,
    -- By which the guard of entitlements finds the row of its own transaction.
    xid            xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (namespace_id, audit_id)
);
-- Rows are appended in the order of their time, so that a few bytes say which pages are old.
CREATE INDEX entitlements_audit_by_age ON entitlements_audit USING brin (changed_at);
CREATE INDEX entitlements_audit_by_entitlement ON entitlements_audit (namespace_id, entitlement_id);

-- Metering.

-- Partitioned by the event's id, which begins with the time of its making (UUID version 7): so the
-- id stays unique over all partitions, an event is found in one of them, the partition that is
-- written to is small enough for memory, and what is dropped by age is dropped as whole tables. What
-- bears an id of another kind, or one from beyond the partitions that were made ahead, is kept in the
-- last partition. To look up an account's events takes a step into the index of each partition.
CREATE TABLE consumption_ledger (
    namespace_id       text NOT NULL,
    event_id           uuid NOT NULL,
    idempotency_key    text,
    account_id         uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    quantity           numeric(18, 6) NOT NULL,
    unit_code          text NOT NULL,
    occurred_at        timestamptz NOT NULL,
    period_start       timestamptz,
    period_end         timestamptz,
    is_correction      boolean NOT NULL CHECK (is_correction = (corrects_event_id IS NOT NULL)),
    corrects_event_id  uuid,
    created_at         timestamptz NOT NULL,
    owner_account_id   uuid NOT NULL,
    -- The accounts above the user of it when it was recorded, nearest first.
    recorded_under     uuid[] NOT NULL,
    chain_id           uuid NOT NULL,
    chain_seq          bigint NOT NULL CHECK (chain_seq >= 1),
    chain_hash         bytea NOT NULL CHECK (octet_length(chain_hash) = 32),
    -- Its account and its unit exist: a guard looks that up for all rows of a statement at once, which
    -- keys that refer to them would do row by row. Neither is ever deleted.
    PRIMARY KEY (namespace_id, event_id)
) PARTITION BY RANGE (event_id);
CREATE INDEX consumption_ledger_by_account
    ON consumption_ledger (namespace_id, account_id, resource_type_code, occurred_at);
CREATE INDEX consumption_ledger_by_corrected
    ON consumption_ledger (namespace_id, corrects_event_id) WHERE corrects_event_id IS NOT NULL;
CREATE TABLE consumption_ledger_rest PARTITION OF consumption_ledger DEFAULT;

CREATE TABLE consumption_event_details (
    namespace_id text NOT NULL,
    event_id     uuid NOT NULL,
    detail_key   text NOT NULL,
    detail_value text NOT NULL,
    PRIMARY KEY (namespace_id, event_id, detail_key)
);

CREATE TABLE grants (
    namespace_id       text NOT NULL,
    grant_id           uuid NOT NULL,
    account_id         uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    window_type_code   text NOT NULL REFERENCES window_types,
    quantity           numeric(18, 6) NOT NULL,
    unit_code          text NOT NULL REFERENCES units,
    -- In the base unit.
    remaining          numeric(38, 6) NOT NULL CHECK (remaining >= 0),
    priority           bigint NOT NULL,
    expires_at         timestamptz,
    reason             text,
    voided_at          timestamptz,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, grant_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
);
CREATE INDEX grants_by_account ON grants (namespace_id, account_id, resource_type_code, window_type_code);

-- What each event drew from each grant and was not given back.
CREATE TABLE grant_draws (
    namespace_id text NOT NULL,
    event_id     uuid NOT NULL,
    grant_id     uuid NOT NULL,
    -- The order of the first draws of one event.
    ordinal      bigint NOT NULL,
    amount       numeric(38, 6) NOT NULL,
    PRIMARY KEY (namespace_id, event_id, grant_id),
    FOREIGN KEY (namespace_id, grant_id) REFERENCES grants,
    CONSTRAINT sum_in_range CHECK (amount BETWEEN -4611686018427387904 AND 4611686018427387904)
);

CREATE TABLE reservations (
    namespace_id       text NOT NULL,
    reservation_id     uuid NOT NULL,
    account_id         uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    quantity           numeric(18, 6) NOT NULL,
    unit_code          text NOT NULL REFERENCES units,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    status             text NOT NULL CHECK (status IN ('open', 'committed', 'released')),
    event_id           uuid,
    committed_quantity numeric(18, 6),
    grant_holds        jsonb NOT NULL,
    PRIMARY KEY (namespace_id, reservation_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
);
CREATE INDEX reservations_open_by_account ON reservations (namespace_id, account_id, expires_at) WHERE status = 'open';

-- The keys are apart from the ledger, so that they are unique over all of it, in all trees.
CREATE TABLE idempotency_keys (
    namespace_id text NOT NULL,
    key_hash     bytea NOT NULL CHECK (octet_length(key_hash) = 16),
    key          text NOT NULL,
    rpc          text NOT NULL,
    args_hash    bytea NOT NULL,
    event_id     uuid,
    answer       text,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, key_hash)
);
CREATE INDEX idempotency_keys_answered ON idempotency_keys (created_at) WHERE answer IS NOT NULL;

-- Controls.

CREATE TABLE concurrency_leases (
    namespace_id       text NOT NULL,
    lease_id           uuid NOT NULL,
    account_id         uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    slots              bigint NOT NULL CHECK (slots >= 1),
    fencing_token      bigint NOT NULL,
    acquired_at        timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    last_heartbeat     timestamptz NOT NULL,
    released_at        timestamptz,
    session_token      text,
    session_metadata   text,
    ttl_seconds        bigint NOT NULL,
    decision           text NOT NULL,
    created_at         timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, lease_id),
    FOREIGN KEY (namespace_id, account_id) REFERENCES accounts
);
CREATE INDEX concurrency_leases_held_by_account
    ON concurrency_leases (namespace_id, account_id, expires_at) WHERE released_at IS NULL;

CREATE TABLE control_decisions_log (
    namespace_id       text NOT NULL,
    decision_id        uuid NOT NULL,
    account_id         uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    requested_quantity numeric(38, 6) NOT NULL,
    unit_code          text,
    decision           text NOT NULL CHECK (decision IN ('allow', 'warn', 'grace', 'overage', 'deny')),
    code               text NOT NULL,
    reason             text NOT NULL,
    rule_id            uuid,
    entitlement_id     uuid,
    usage_at_decision  numeric(38, 6),
    limit_at_decision  numeric(38, 6),
    percent_used       numeric(38, 6),
    request_id         text,
    decided_at         timestamptz NOT NULL,
    PRIMARY KEY (namespace_id, decision_id)
);

CREATE INDEX control_decisions_log_by_age ON control_decisions_log USING brin (decided_at);

-- Projections: what decisions read instead of the ledger, written in the same commit.

CREATE TABLE trees (
    namespace_id  text NOT NULL,
    tree_id       uuid NOT NULL,
    chain_id      uuid NOT NULL,
    chain_seq     bigint NOT NULL,
    chain_hash    bytea NOT NULL CHECK (octet_length(chain_hash) = 32),
    fencing_token bigint NOT NULL,
    last_at       timestamptz NOT NULL,
    version       bigint NOT NULL,
    PRIMARY KEY (namespace_id, tree_id)
) WITH (fillfactor = 50);

CREATE TABLE tree_scopes (
    namespace_id       text NOT NULL,
    tree_id            uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text NOT NULL,
    PRIMARY KEY (namespace_id, tree_id, resource_type_code, resource_scope)
);

-- 0 the total, 1 a day, 2 an hour, 3 a minute or the part of one from which usage counts anew.
-- resource_scope is empty for all scopes together; drawn_for is empty for usage, else it is the
-- window type of the grants that were drawn from.
CREATE TABLE usage_buckets (
    namespace_id       text NOT NULL,
    level_id           uuid NOT NULL,
    resource_type_code text NOT NULL,
    drawn_for          text NOT NULL,
    resource_scope     text NOT NULL,
    granularity        bigint NOT NULL CHECK (granularity BETWEEN 0 AND 3),
    bucket_start       timestamptz NOT NULL,
    amount             numeric(38, 6) NOT NULL,
    PRIMARY KEY (namespace_id, level_id, resource_type_code, drawn_for, resource_scope, granularity, bucket_start),
    CONSTRAINT sum_in_range CHECK (amount BETWEEN -4611686018427387904 AND 4611686018427387904)
) WITH (fillfactor = 50);

CREATE TABLE own_totals (
    namespace_id       text NOT NULL,
    level_id           uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text NOT NULL,
    amount             numeric(38, 6) NOT NULL,
    PRIMARY KEY (namespace_id, level_id, resource_type_code, resource_scope),
    CONSTRAINT sum_in_range CHECK (amount BETWEEN -4611686018427387904 AND 4611686018427387904)
) WITH (fillfactor = 50);

CREATE TABLE open_holds (
    namespace_id       text NOT NULL,
    level_id           uuid NOT NULL,
    -- 0 a lease, 1 a reservation.
    kind               bigint NOT NULL CHECK (kind IN (0, 1)),
    hold_id            uuid NOT NULL,
    tree_id            uuid NOT NULL,
    resource_type_code text NOT NULL,
    resource_scope     text,
    amount             numeric(38, 6) NOT NULL,
    created_at         timestamptz NOT NULL,
    expires_at         timestamptz NOT NULL,
    grants             jsonb NOT NULL,
    PRIMARY KEY (namespace_id, level_id, kind, hold_id)
);
CREATE INDEX open_holds_by_expiry ON open_holds (namespace_id, tree_id, expires_at);

CREATE TABLE grace_clocks (
    namespace_id       text NOT NULL,
    level_id           uuid NOT NULL,
    resource_type_code text NOT NULL,
    limit_kind_code    text NOT NULL,
    window_type_code   text NOT NULL,
    resource_scope     text NOT NULL,
    since              timestamptz NOT NULL,
    window_start       timestamptz,
    PRIMARY KEY (namespace_id, level_id, resource_type_code, limit_kind_code, window_type_code, resource_scope)
);

-- The accounts that stood below a level and have moved away.
CREATE TABLE former_descendants (
    namespace_id text NOT NULL,
    level_id     uuid NOT NULL,
    account_id   uuid NOT NULL,
    PRIMARY KEY (namespace_id, level_id, account_id)
);

-- Many nodes: what changed lately, for those that hold trees in memory; and what each writer last
-- committed, for one whose commit was not answered.

CREATE TABLE tree_log (
    namespace_id text NOT NULL,
    tree_id      uuid NOT NULL,
    version      bigint NOT NULL,
    writer_id    uuid NOT NULL,
    xid          xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX tree_log_by_xid ON tree_log (xid);

CREATE TABLE writers (
    writer_id     uuid PRIMARY KEY,
    last_batch_id uuid NOT NULL,
    seen_at       timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 50);

-- How far a copy of an embedded installation has come; empty at all other times.
CREATE TABLE copy_marks (
    name  text PRIMARY KEY,
    value bigint NOT NULL
);
