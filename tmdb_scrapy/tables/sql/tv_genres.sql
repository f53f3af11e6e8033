-- One row a genre of a series.
CREATE TABLE tv_genres (
    tv_id BIGINT REFERENCES tv (tv_id), -- the series
    genre_id BIGINT REFERENCES genres (genre_id), -- the genre
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (tv_id, genre_id)
);

SELECT tv_id, entry.id AS genre_id, min(position) AS position
FROM (
    SELECT
        id AS tv_id,
        generate_subscripts(genres, 1) AS position,
        unnest(genres) AS entry
    FROM records.tv
)
WHERE entry.id IS NOT NULL
GROUP BY ALL
