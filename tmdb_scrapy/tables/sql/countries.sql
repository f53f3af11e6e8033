-- One row a country that a movie or a series comes from or was produced in.
CREATE TABLE countries (
    country_code VARCHAR PRIMARY KEY, -- of ISO 3166-1, or TMDb's own for countries that are no more
    name VARCHAR -- in English; NULL for a country of origin that no record names
);

WITH mentions AS (
    SELECT entry.iso_3166_1 AS country_code, entry.name AS name, answered, line, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(production_countries, 1) AS position,
            unnest(production_countries) AS entry
        FROM records.movies
        UNION ALL
        SELECT
            answered,
            line,
            generate_subscripts(production_countries, 1),
            unnest(production_countries)
        FROM records.tv
    )
    UNION ALL
    SELECT unnest(origin_country), NULL, answered, line, 0
    FROM records.movies
    UNION ALL
    SELECT unnest(origin_country), NULL, answered, line, 0
    FROM records.tv
)
SELECT country_code, name
FROM mentions
WHERE country_code <> ''
QUALIFY row_number() OVER (
    PARTITION BY country_code
    ORDER BY nullif(name, '') IS NULL, answered DESC, line DESC, position
) = 1
