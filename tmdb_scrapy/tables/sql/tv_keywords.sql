-- One row a keyword of a series.
CREATE TABLE tv_keywords (
    tv_id BIGINT REFERENCES tv (tv_id), -- the series
    keyword_id BIGINT REFERENCES keywords (keyword_id), -- the keyword
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (tv_id, keyword_id)
);

SELECT tv_id, entry.id AS keyword_id, min(position) AS position
FROM (
    SELECT
        id AS tv_id,
        generate_subscripts(keywords.results, 1) AS position,
        unnest(keywords.results) AS entry
    FROM records.tv
)
WHERE entry.id IS NOT NULL
GROUP BY ALL
