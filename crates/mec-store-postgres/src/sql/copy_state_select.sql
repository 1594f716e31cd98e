SELECT name, value
FROM store_meta
WHERE name LIKE 'copy.%'
