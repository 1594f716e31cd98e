-- What a transaction that reads as a caller begins with. The plans of the store's own statements are bound to
-- indexes; a caller's query is planned freely.
SELECT
    set_config('role', $1, true),
    set_config('request.jwt.claims', $2, true),
    set_config('timezone', $3, true),
    set_config('statement_timeout', $4, true),
    set_config('enable_seqscan', 'on', true),
    set_config('enable_hashjoin', 'on', true),
    set_config('enable_mergejoin', 'on', true)
