-- One row a company that produced a movie.
CREATE TABLE movie_companies (
    movie_id BIGINT REFERENCES movies (movie_id), -- the movie
    company_id BIGINT REFERENCES companies (company_id), -- the company
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (movie_id, company_id)
);

SELECT movie_id, entry.id AS company_id, min(position) AS position
FROM (
    SELECT
        id AS movie_id,
        generate_subscripts(production_companies, 1) AS position,
        unnest(production_companies) AS entry
    FROM records.movies
)
WHERE entry.id IS NOT NULL
GROUP BY ALL
