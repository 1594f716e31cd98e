INSERT INTO plans (namespace_id, plan_id, plan_name, description, is_trial, trial_days, is_addon, external_id,
    status, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)
ON CONFLICT (namespace_id, plan_id) DO UPDATE SET
    plan_name = excluded.plan_name, description = excluded.description, is_trial = excluded.is_trial,
    trial_days = excluded.trial_days, is_addon = excluded.is_addon, external_id = excluded.external_id,
    status = excluded.status, updated_at = excluded.updated_at
