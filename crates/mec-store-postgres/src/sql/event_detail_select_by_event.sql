SELECT detail_key, detail_value FROM consumption_event_details WHERE namespace_id = $1 AND event_id = $2
