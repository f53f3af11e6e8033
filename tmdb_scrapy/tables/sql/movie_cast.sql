-- One row a part that a person plays in a movie.
CREATE TABLE movie_cast (
    credit_id VARCHAR PRIMARY KEY, -- TMDb's ID of the credit
    movie_id BIGINT NOT NULL REFERENCES movies (movie_id), -- the movie
    person_id BIGINT REFERENCES people (person_id), -- who plays
    billing_order BIGINT, -- place in the credits, from 0
    character_name VARCHAR, -- whom the person plays
    cast_id BIGINT -- TMDb's number of the part within the movie
);

SELECT
    entry.credit_id AS credit_id,
    movie_id,
    entry.id AS person_id,
    entry."order" AS billing_order,
    entry."character" AS character_name,
    entry.cast_id AS cast_id
FROM (
    SELECT
        id AS movie_id,
        answered,
        line,
        generate_subscripts(credits."cast", 1) AS position,
        unnest(credits."cast") AS entry
    FROM records.movies
)
WHERE entry.credit_id <> ''
QUALIFY row_number() OVER (PARTITION BY entry.credit_id ORDER BY answered DESC, line DESC, position) = 1
