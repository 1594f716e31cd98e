SELECT namespace_id, resource_type_code FROM resource_types WHERE is_inventory = 1
