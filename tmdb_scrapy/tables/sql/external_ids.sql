-- One row a record in which other databases' IDs were appended.
CREATE TABLE external_ids (
    kind VARCHAR, -- movies, people or tv
    id BIGINT, -- movie_id, person_id or tv_id
    imdb_id VARCHAR, -- IMDb's ID
    wikidata_id VARCHAR, -- Wikidata's item, such as Q40912
    tvdb_id BIGINT, -- TheTVDB's ID
    PRIMARY KEY (kind, id)
);

SELECT
    kind,
    id,
    external_ids.imdb_id AS imdb_id,
    external_ids.wikidata_id AS wikidata_id,
    external_ids.tvdb_id AS tvdb_id
FROM (
    SELECT 'movies' AS kind, id, external_ids FROM records.movies
    UNION ALL
    SELECT 'people', id, external_ids FROM records.people
    UNION ALL
    SELECT 'tv', id, external_ids FROM records.tv
)
WHERE external_ids IS NOT NULL
