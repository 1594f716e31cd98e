DELETE FROM entitlement_conditions WHERE namespace_id = ?1 AND entitlement_id = ?2
