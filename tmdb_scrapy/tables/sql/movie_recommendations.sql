-- One row a movie that TMDb recommends with another.
CREATE TABLE movie_recommendations (
    movie_id BIGINT REFERENCES movies (movie_id), -- the movie
    rank BIGINT, -- place in TMDb's list, from 1; the record holds its first page
    recommended_movie_id BIGINT NOT NULL, -- the other movie
    in_data BOOLEAN NOT NULL, -- whether the other movie is one of movies
    PRIMARY KEY (movie_id, rank)
);

SELECT
    movie_id,
    min(position) AS rank,
    entry.id AS recommended_movie_id,
    entry.id IN (SELECT id FROM records.movies) AS in_data
FROM (
    SELECT
        id AS movie_id,
        generate_subscripts(recommendations.results, 1) AS position,
        unnest(recommendations.results) AS entry
    FROM records.movies
)
WHERE entry.id IS NOT NULL
GROUP BY movie_id, entry.id
