DELETE FROM writers WHERE seen_at < now() - interval '7 days'
