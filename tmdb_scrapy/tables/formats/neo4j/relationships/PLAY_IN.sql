SELECT
    person_id AS ":START_ID(Person)",
    character_name AS "character",
    billing_order AS "order:long",
    movie_id AS ":END_ID(Movie)"
FROM parts_played
WHERE person_id IS NOT NULL AND movie_id IN (SELECT movie_id FROM movies)
ORDER BY movie_id, credit_id
