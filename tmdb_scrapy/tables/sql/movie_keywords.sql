-- One row a keyword of a movie.
CREATE TABLE movie_keywords (
    movie_id BIGINT REFERENCES movies (movie_id), -- the movie
    keyword_id BIGINT REFERENCES keywords (keyword_id), -- the keyword
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (movie_id, keyword_id)
);

SELECT movie_id, entry.id AS keyword_id, min(position) AS position
FROM (
    SELECT
        id AS movie_id,
        generate_subscripts(keywords.keywords, 1) AS position,
        unnest(keywords.keywords) AS entry
    FROM records.movies
)
WHERE entry.id IS NOT NULL
GROUP BY ALL
