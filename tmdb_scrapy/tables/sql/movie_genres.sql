-- One row a genre of a movie.
CREATE TABLE movie_genres (
    movie_id BIGINT REFERENCES movies (movie_id), -- the movie
    genre_id BIGINT REFERENCES genres (genre_id), -- the genre
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (movie_id, genre_id)
);

SELECT movie_id, entry.id AS genre_id, min(position) AS position
FROM (
    SELECT
        id AS movie_id,
        generate_subscripts(genres, 1) AS position,
        unnest(genres) AS entry
    FROM records.movies
)
WHERE entry.id IS NOT NULL
GROUP BY ALL
