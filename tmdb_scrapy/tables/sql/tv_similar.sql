-- One row a series that TMDb calls similar to another.
CREATE TABLE tv_similar (
    tv_id BIGINT REFERENCES tv (tv_id), -- the series
    rank BIGINT, -- place in TMDb's list, from 1; the record holds its first page
    similar_tv_id BIGINT NOT NULL, -- the other series
    in_data BOOLEAN NOT NULL, -- whether the other series is one of tv
    PRIMARY KEY (tv_id, rank)
);

SELECT
    tv_id,
    min(position) AS rank,
    entry.id AS similar_tv_id,
    entry.id IN (SELECT id FROM records.tv) AS in_data
FROM (
    SELECT
        id AS tv_id,
        generate_subscripts("similar".results, 1) AS position,
        unnest("similar".results) AS entry
    FROM records.tv
)
WHERE entry.id IS NOT NULL
GROUP BY tv_id, entry.id
