DELETE FROM copy_marks
WHERE name LIKE 'copy.%'
