-- What the worlds of all namespaces share, and a function that tells a relation's rows as its caller sees them.
SET search_path = mec;
INSERT INTO account_types VALUES ('organization', '', true) ON CONFLICT DO NOTHING;
INSERT INTO units VALUES ('minutes', 'time', '', 0, 'minutes', 1), ('hours', 'time', '', 6, 'minutes', 60)
ON CONFLICT DO NOTHING;
INSERT INTO window_types VALUES ('month', '', 'calendar', 'month', 1);
INSERT INTO writers VALUES (md5('writer')::uuid, md5('batch')::uuid);

CREATE FUNCTION public.seen(relation text, columns text, rows text DEFAULT 'true') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    told text;
BEGIN
    EXECUTE format(
        'SELECT count(*) || '' rows '' || coalesce(md5(string_agg(r.row, E''\n'' ORDER BY r.row)), '''') '
        'FROM (SELECT ROW(%s)::text AS row FROM %s t WHERE %s) AS r', columns, relation, rows
    ) INTO told;
    RETURN told;
EXCEPTION WHEN insufficient_privilege THEN
    RETURN 'denied';
END $$;
