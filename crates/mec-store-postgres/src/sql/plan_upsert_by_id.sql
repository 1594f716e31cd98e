INSERT INTO plans (namespace_id, plan_id, plan_name, description, is_trial, trial_days, is_addon, external_id, status, created_at, updated_at)
SELECT namespace_id, plan_id, plan_name, description, is_trial, trial_days, is_addon, external_id, status, created_at, updated_at
FROM json_populate_recordset(NULL::plans, $1::text::json)
ON CONFLICT (namespace_id, plan_id) DO UPDATE SET
    plan_name = excluded.plan_name, description = excluded.description, is_trial = excluded.is_trial, trial_days = excluded.trial_days, is_addon = excluded.is_addon, external_id = excluded.external_id, status = excluded.status, updated_at = excluded.updated_at
