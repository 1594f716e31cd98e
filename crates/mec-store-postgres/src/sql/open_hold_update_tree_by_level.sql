UPDATE open_holds SET tree_id = $3 WHERE namespace_id = $1 AND level_id = ANY ($2::uuid[])
