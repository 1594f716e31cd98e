SELECT version FROM catalogue_versions WHERE namespace_id = '*'
