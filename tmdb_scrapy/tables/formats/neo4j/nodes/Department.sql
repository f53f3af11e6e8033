SELECT DISTINCT known_for_department AS ":ID(Department)", known_for_department AS "name"
FROM people
WHERE known_for_department IS NOT NULL
ORDER BY ALL
