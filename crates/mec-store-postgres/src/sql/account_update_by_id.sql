WITH changed AS (
    SELECT * FROM json_populate_recordset(NULL::accounts, $1::text::json)
), updated AS (
    UPDATE accounts a
    SET account_type_code = c.account_type_code, external_id = c.external_id, display_name = c.display_name,
        email = c.email, timezone = c.timezone, metadata = c.metadata, status = c.status, updated_at = c.updated_at
    FROM changed c
    WHERE a.namespace_id = c.namespace_id AND a.account_id = c.account_id
    RETURNING 1
)
SELECT must_be((SELECT count(*) FROM updated), (SELECT count(*) FROM changed), 'an account does not exist')
