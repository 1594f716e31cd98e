UPDATE store_meta
SET value = value + $2
WHERE name = $1
