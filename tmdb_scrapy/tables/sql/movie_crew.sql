-- One row a job that a person did for a movie.
CREATE TABLE movie_crew (
    credit_id VARCHAR PRIMARY KEY, -- TMDb's ID of the credit
    movie_id BIGINT NOT NULL REFERENCES movies (movie_id), -- the movie
    person_id BIGINT REFERENCES people (person_id), -- who worked
    department VARCHAR, -- Directing, Writing, Sound, …
    job VARCHAR -- Director, Screenplay, Foley, …
);

SELECT
    entry.credit_id AS credit_id,
    movie_id,
    entry.id AS person_id,
    entry.department AS department,
    entry.job AS job
FROM (
    SELECT
        id AS movie_id,
        answered,
        line,
        generate_subscripts(credits.crew, 1) AS position,
        unnest(credits.crew) AS entry
    FROM records.movies
)
WHERE entry.credit_id <> ''
QUALIFY row_number() OVER (PARTITION BY entry.credit_id ORDER BY answered DESC, line DESC, position) = 1
