INSERT INTO reservations (namespace_id, reservation_id, account_id, resource_type_code, resource_scope, quantity,
    unit_code, created_at, expires_at, status, event_id, committed_quantity, grant_holds)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
ON CONFLICT (namespace_id, reservation_id) DO UPDATE SET
    account_id = excluded.account_id, quantity = excluded.quantity, expires_at = excluded.expires_at,
    status = excluded.status, event_id = excluded.event_id, committed_quantity = excluded.committed_quantity,
    grant_holds = excluded.grant_holds
