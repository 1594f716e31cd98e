DELETE FROM control_rules WHERE namespace_id = $1
