SELECT name, value
FROM copy_marks
WHERE name LIKE 'copy.%'
