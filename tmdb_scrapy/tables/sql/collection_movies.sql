-- One row a movie of a collection that was crawled.
CREATE TABLE collection_movies (
    collection_id BIGINT REFERENCES collections (collection_id), -- the collection
    position BIGINT, -- place in the record's list, from 1
    movie_id BIGINT NOT NULL, -- the movie
    in_data BOOLEAN NOT NULL, -- whether the movie is one of movies
    PRIMARY KEY (collection_id, position)
);

SELECT
    collection_id,
    min(position) AS position,
    entry.id AS movie_id,
    entry.id IN (SELECT id FROM records.movies) AS in_data
FROM (
    SELECT id AS collection_id, generate_subscripts(parts, 1) AS position, unnest(parts) AS entry
    FROM records.collections
)
WHERE entry.id IS NOT NULL
GROUP BY collection_id, entry.id
