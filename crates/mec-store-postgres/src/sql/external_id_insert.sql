INSERT INTO account_external_ids (namespace_id, external_id, provider, account_id)
SELECT namespace_id, external_id, provider, account_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS l (namespace_id, external_id, provider, account_id)
