UPDATE reservations SET grant_holds = $3::text::jsonb WHERE namespace_id = $1 AND reservation_id = $2
