-- One row a network that shows a series, or that was crawled.
CREATE TABLE networks (
    network_id BIGINT PRIMARY KEY, -- TMDb's ID of the network
    name VARCHAR, -- its name
    logo_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    origin_country VARCHAR, -- code of the country that it comes from; not always one of countries
    headquarters VARCHAR, -- where it resides; where the networks were crawled
    homepage VARCHAR -- address of its own page; where the networks were crawled
);

WITH mentions AS (
    SELECT id, name, logo_path, origin_country, answered, true AS own, line, 0 AS position
    FROM records.networks
    UNION ALL
    SELECT entry.id, entry.name, entry.logo_path, entry.origin_country, answered, false, line, position
    FROM (
        SELECT answered, line, generate_subscripts(networks, 1) AS position, unnest(networks) AS entry
        FROM records.tv
    )
),
latest AS (
    SELECT *
    FROM mentions
    WHERE id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY id
        ORDER BY nullif(name, '') IS NULL, answered DESC, own DESC, line DESC, position
    ) = 1
)
SELECT
    latest.id AS network_id,
    latest.name,
    latest.logo_path,
    latest.origin_country,
    own.headquarters,
    own.homepage
FROM latest
LEFT JOIN records.networks AS own ON own.id = latest.id
