-- One row a company that produced a movie or a series, that was crawled, or that owns one of these.
CREATE TABLE companies (
    company_id BIGINT PRIMARY KEY, -- TMDb's ID of the company
    name VARCHAR, -- its name
    logo_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    origin_country VARCHAR, -- code of the country that it comes from; not always one of countries
    description VARCHAR, -- what the company is; where the companies were crawled
    headquarters VARCHAR, -- where it resides; where the companies were crawled
    homepage VARCHAR, -- address of its own page; where the companies were crawled
    parent_company_id BIGINT -- the company that owns it; where the companies were crawled
);

WITH mentions AS (
    SELECT id, name, logo_path, origin_country, answered, true AS own, line, 0 AS position
    FROM records.companies
    UNION ALL
    SELECT
        parent_company.id, parent_company.name, parent_company.logo_path,
        parent_company.origin_country, answered, false, line, 0
    FROM records.companies
    UNION ALL
    SELECT entry.id, entry.name, entry.logo_path, entry.origin_country, answered, false, line, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(production_companies, 1) AS position,
            unnest(production_companies) AS entry
        FROM records.movies
        UNION ALL
        SELECT
            answered,
            line,
            generate_subscripts(production_companies, 1),
            unnest(production_companies)
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
    latest.id AS company_id,
    latest.name,
    latest.logo_path,
    latest.origin_country,
    own.description,
    own.headquarters,
    own.homepage,
    own.parent_company.id AS parent_company_id
FROM latest
LEFT JOIN records.companies AS own ON own.id = latest.id
