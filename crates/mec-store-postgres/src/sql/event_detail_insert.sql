INSERT INTO consumption_event_details (namespace_id, event_id, detail_key, detail_value)
SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[])
