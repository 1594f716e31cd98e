SELECT DISTINCT resource_type_code, window_type_code FROM grants WHERE namespace_id = $1 AND account_id = $2
