-- Parts as the movies' records have them, and those that only a person's own record has.
CREATE VIEW memory.main.parts_played AS
SELECT credit_id, person_id, movie_id, character_name, billing_order
FROM movie_cast
UNION ALL
SELECT credit_id, person_id, movie_id, character_name, billing_order
FROM person_credits
WHERE credit_type = 'cast' AND movie_id IS NOT NULL
    AND credit_id NOT IN (SELECT credit_id FROM movie_cast);
