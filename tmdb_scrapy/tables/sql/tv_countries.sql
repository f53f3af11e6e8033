-- One row a country of a series, for each role that the country has.
CREATE TABLE tv_countries (
    tv_id BIGINT REFERENCES tv (tv_id), -- the series
    role VARCHAR, -- origin: where it comes from; production: where it was produced
    country_code VARCHAR REFERENCES countries (country_code), -- the country
    position BIGINT NOT NULL, -- place in the record's list of that role, from 1
    PRIMARY KEY (tv_id, role, country_code)
);

WITH entries AS (
    SELECT
        id AS tv_id,
        'origin' AS role,
        generate_subscripts(origin_country, 1) AS position,
        unnest(origin_country) AS country_code
    FROM records.tv
    UNION ALL
    SELECT
        id,
        'production',
        generate_subscripts(production_countries, 1),
        unnest(production_countries).iso_3166_1
    FROM records.tv
)
SELECT tv_id, role, country_code, min(position) AS position
FROM entries
WHERE country_code <> ''
GROUP BY ALL
