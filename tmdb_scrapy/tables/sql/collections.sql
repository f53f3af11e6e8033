-- One row a collection that a movie belongs to, or that was crawled.
CREATE TABLE collections (
    collection_id BIGINT PRIMARY KEY, -- TMDb's ID of the collection
    name VARCHAR, -- in the language of the crawl
    poster_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    backdrop_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    original_name VARCHAR, -- in the original language; where the collections were crawled
    original_language VARCHAR, -- code of the language; where the collections were crawled
    overview VARCHAR -- what the collection is about; where the collections were crawled
);

WITH mentions AS (
    SELECT id, name, poster_path, backdrop_path, answered, true AS own, line
    FROM records.collections
    UNION ALL
    SELECT unnest(belongs_to_collection), answered, false, line
    FROM records.movies
),
latest AS (
    SELECT *
    FROM mentions
    WHERE id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY id
        ORDER BY nullif(name, '') IS NULL, answered DESC, own DESC, line DESC
    ) = 1
)
SELECT
    latest.id AS collection_id,
    latest.name,
    latest.poster_path,
    latest.backdrop_path,
    own.original_name,
    own.original_language,
    own.overview
FROM latest
LEFT JOIN records.collections AS own ON own.id = latest.id
