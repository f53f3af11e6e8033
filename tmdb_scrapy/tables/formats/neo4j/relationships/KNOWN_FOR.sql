SELECT person_id AS ":START_ID(Person)", known_for_department AS ":END_ID(Department)"
FROM people
WHERE known_for_department IS NOT NULL
ORDER BY person_id
