SELECT clock_timestamp(), ARRAY(
    SELECT coalesce((SELECT v.version FROM catalogue_versions v WHERE v.namespace_id = w.namespace_id), 0)
    FROM unnest($1::text[]) WITH ORDINALITY AS w (namespace_id, place)
    ORDER BY w.place
), coalesce((SELECT v.version FROM catalogue_versions v WHERE v.namespace_id = '*'), 0)
