UPDATE plans SET status = 'archived', updated_at = $3
WHERE namespace_id = $1 AND plan_id = ANY ($2::text[]) AND status <> 'archived'
