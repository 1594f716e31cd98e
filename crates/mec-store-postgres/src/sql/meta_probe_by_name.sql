UPDATE store_meta SET value = (value + 1) % 1000000 WHERE name = 'probe'
