INSERT INTO reservations (namespace_id, reservation_id, account_id, resource_type_code, resource_scope, quantity, unit_code, created_at, expires_at, status, event_id, committed_quantity, grant_holds)
SELECT namespace_id, reservation_id, account_id, resource_type_code, resource_scope, quantity, unit_code, created_at, expires_at, status, event_id, committed_quantity, grant_holds
FROM json_populate_recordset(NULL::reservations, $1::text::json)
ON CONFLICT (namespace_id, reservation_id) DO UPDATE SET
    account_id = excluded.account_id, quantity = excluded.quantity, expires_at = excluded.expires_at, status = excluded.status, event_id = excluded.event_id, committed_quantity = excluded.committed_quantity, grant_holds = excluded.grant_holds
