-- What MEC's consume is compared with: a function in a transaction a call, in two forms.
CREATE TABLE counters (
    account integer PRIMARY KEY,
    used    bigint NOT NULL DEFAULT 0,
    allowed bigint NOT NULL
);

CREATE TABLE events (
    event_id        uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    idempotency_key text NOT NULL UNIQUE,
    account         integer NOT NULL,
    quantity        bigint NOT NULL,
    occurred_at     timestamptz NOT NULL DEFAULT now()
);

-- The plain counter: it keeps a number and nothing else.
CREATE FUNCTION count_only(p_account integer, p_quantity bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE counters
       SET used = used + p_quantity
     WHERE account = p_account
       AND used + p_quantity <= allowed;
    RETURN FOUND;
END
$$;

-- The counter with what consume also promises: each call once, and a row that says what was used.
CREATE FUNCTION count_once(p_account integer, p_quantity bigint, p_key text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_event uuid;
BEGIN
    INSERT INTO events (idempotency_key, account, quantity)
    VALUES (p_key, p_account, p_quantity)
    ON CONFLICT DO NOTHING
    RETURNING event_id INTO v_event;
    IF v_event IS NULL THEN
        RETURN (SELECT event_id FROM events WHERE idempotency_key = p_key);
    END IF;
    UPDATE counters
       SET used = used + p_quantity
     WHERE account = p_account
       AND used + p_quantity <= allowed;
    IF NOT FOUND THEN
        DELETE FROM events WHERE event_id = v_event;
        RETURN NULL;
    END IF;
    RETURN v_event;
END
$$;

INSERT INTO counters (account, allowed)
SELECT account, 999999999 FROM generate_series(1, :accounts) AS account;
