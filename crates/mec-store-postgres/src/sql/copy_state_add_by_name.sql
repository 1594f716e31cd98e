UPDATE copy_marks
SET value = value + $2
WHERE name = $1
