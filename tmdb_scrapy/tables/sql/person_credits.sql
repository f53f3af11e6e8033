-- One row a credit in a movie, as the record of a person who was crawled has it.
CREATE TABLE person_credits (
    credit_id VARCHAR PRIMARY KEY, -- TMDb's ID of the credit, the same as in movie_cast and movie_crew
    person_id BIGINT NOT NULL REFERENCES people (person_id), -- the person
    movie_id BIGINT, -- the movie; not always one of movies
    credit_type VARCHAR NOT NULL, -- cast or crew
    character_name VARCHAR, -- whom the person plays; of the cast
    billing_order BIGINT, -- place in the movie's credits, from 0; of the cast
    department VARCHAR, -- Directing, Writing, Sound, …; of the crew
    job VARCHAR -- Director, Screenplay, Foley, …; of the crew
);

WITH entries AS (
    SELECT
        entry.credit_id AS credit_id,
        person_id,
        entry.id AS movie_id,
        'cast' AS credit_type,
        entry."character" AS character_name,
        entry."order" AS billing_order,
        NULL AS department,
        NULL AS job,
        answered,
        line,
        position
    FROM (
        SELECT
            id AS person_id,
            answered,
            line,
            generate_subscripts(movie_credits."cast", 1) AS position,
            unnest(movie_credits."cast") AS entry
        FROM records.people
    )
    UNION ALL
    SELECT
        entry.credit_id,
        person_id,
        entry.id,
        'crew',
        NULL,
        NULL,
        entry.department,
        entry.job,
        answered,
        line,
        position
    FROM (
        SELECT
            id AS person_id,
            answered,
            line,
            generate_subscripts(movie_credits.crew, 1) AS position,
            unnest(movie_credits.crew) AS entry
        FROM records.people
    )
)
SELECT
    credit_id,
    person_id,
    movie_id,
    credit_type,
    character_name,
    billing_order,
    department,
    job
FROM entries
WHERE credit_id <> ''
QUALIFY row_number() OVER (
    PARTITION BY credit_id ORDER BY answered DESC, line DESC, credit_type, position
) = 1
