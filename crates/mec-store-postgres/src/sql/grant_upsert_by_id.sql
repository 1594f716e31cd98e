WITH put AS (
    SELECT * FROM json_populate_recordset(NULL::grants, $1::text::json)
), done AS (
    INSERT INTO grants (namespace_id, grant_id, account_id, resource_type_code, resource_scope, window_type_code, quantity, unit_code, remaining, priority, expires_at, reason, voided_at, created_at)
    SELECT namespace_id, grant_id, account_id, resource_type_code, resource_scope, window_type_code, quantity, unit_code, remaining, priority, expires_at, reason, voided_at, created_at
    FROM put
    ON CONFLICT (namespace_id, grant_id) DO UPDATE SET
        resource_type_code = excluded.resource_type_code, resource_scope = excluded.resource_scope, window_type_code = excluded.window_type_code, quantity = excluded.quantity, unit_code = excluded.unit_code, remaining = excluded.remaining, priority = excluded.priority, expires_at = excluded.expires_at, reason = excluded.reason, voided_at = excluded.voided_at, created_at = excluded.created_at
    WHERE grants.account_id = excluded.account_id
    RETURNING 1
)
SELECT must_be((SELECT count(*) FROM done), (SELECT count(*) FROM put), 'grant_id is another account''s')
