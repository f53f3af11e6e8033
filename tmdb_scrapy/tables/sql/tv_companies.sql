-- One row a company that produced a series.
CREATE TABLE tv_companies (
    tv_id BIGINT REFERENCES tv (tv_id), -- the series
    company_id BIGINT REFERENCES companies (company_id), -- the company
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (tv_id, company_id)
);

SELECT tv_id, entry.id AS company_id, min(position) AS position
FROM (
    SELECT
        id AS tv_id,
        generate_subscripts(production_companies, 1) AS position,
        unnest(production_companies) AS entry
    FROM records.tv
)
WHERE entry.id IS NOT NULL
GROUP BY ALL
