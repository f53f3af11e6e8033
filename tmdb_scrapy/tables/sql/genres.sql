-- One row a genre that a movie or a series has.
CREATE TABLE genres (
    genre_id BIGINT PRIMARY KEY, -- TMDb's ID of the genre
    name VARCHAR -- in the language of the crawl
);

WITH mentions AS (
    SELECT answered, line, generate_subscripts(genres, 1) AS position, unnest(genres) AS entry
    FROM records.movies
    UNION ALL
    SELECT answered, line, generate_subscripts(genres, 1), unnest(genres)
    FROM records.tv
)
SELECT entry.id AS genre_id, entry.name AS name
FROM mentions
WHERE entry.id IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY entry.id
    ORDER BY nullif(entry.name, '') IS NULL, answered DESC, line DESC, position
) = 1
