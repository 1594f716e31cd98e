SELECT plan_id, plan_name, description, is_trial, trial_days, is_addon, external_id, status
FROM plans
WHERE namespace_id = $1
