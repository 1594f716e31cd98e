SELECT pg_advisory_lock(hashtext('mec.copy'))
