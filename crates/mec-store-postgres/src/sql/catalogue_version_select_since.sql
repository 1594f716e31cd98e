SELECT namespace_id, version FROM catalogue_versions WHERE xid >= $1::text::xid8
