-- What MEC's consume is compared with: a plain counter in one transaction a call. It locks the
-- counter's row, checks, records the event under its unique key, counts, and commits.
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

-- The event's id; null where the counter does not allow it. A repeated key counts nothing twice.
CREATE FUNCTION consume(p_account integer, p_quantity bigint, p_key text) RETURNS uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_left  bigint;
    v_event uuid;
BEGIN
    SELECT allowed - used
      INTO v_left
      FROM counters
     WHERE account = p_account
       FOR UPDATE;
    IF v_left IS NULL OR v_left < p_quantity THEN
        RETURN NULL;
    END IF;
    INSERT INTO events (idempotency_key, account, quantity)
    VALUES (p_key, p_account, p_quantity)
    ON CONFLICT (idempotency_key) DO NOTHING
    RETURNING event_id INTO v_event;
    IF v_event IS NULL THEN
        RETURN (SELECT event_id FROM events WHERE idempotency_key = p_key);
    END IF;
    UPDATE counters
       SET used = used + p_quantity
     WHERE account = p_account;
    RETURN v_event;
END
$$;

INSERT INTO counters (account, allowed)
SELECT account, 999999999 FROM generate_series(1, :accounts) AS account;
