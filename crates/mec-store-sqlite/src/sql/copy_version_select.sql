SELECT (SELECT coalesce(sum(version), 0) FROM trees)
    + (SELECT coalesce(sum(version), 0) FROM catalogue_versions)
    + (SELECT coalesce(sum(value), 0) FROM store_meta WHERE name IN ('lookups_version', 'answers_dropped_to', 'fencing_epoch'))
