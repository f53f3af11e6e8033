SELECT
    person_id AS ":START_ID(Person)",
    department AS "department",
    job AS "job",
    movie_id AS ":END_ID(Movie)"
FROM movie_crew
WHERE person_id IS NOT NULL
ORDER BY movie_id, credit_id
