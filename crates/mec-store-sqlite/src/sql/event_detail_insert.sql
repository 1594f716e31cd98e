INSERT INTO consumption_event_details (namespace_id, event_id, detail_key, detail_value) VALUES (?1, ?2, ?3, ?4)
