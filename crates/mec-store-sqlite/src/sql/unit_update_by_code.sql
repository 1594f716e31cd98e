UPDATE units SET unit_category = ?2, description = ?3, scale = ?4, base_unit_code = ?5, base_factor = ?6
WHERE unit_code = ?1
