-- One row a person who created a series.
CREATE TABLE tv_creators (
    credit_id VARCHAR PRIMARY KEY, -- TMDb's ID of the credit
    tv_id BIGINT NOT NULL REFERENCES tv (tv_id), -- the series
    person_id BIGINT REFERENCES people (person_id), -- who created it
    position BIGINT NOT NULL -- place in the record's list, from 1
);

SELECT entry.credit_id AS credit_id, tv_id, entry.id AS person_id, position
FROM (
    SELECT
        id AS tv_id,
        answered,
        line,
        generate_subscripts(created_by, 1) AS position,
        unnest(created_by) AS entry
    FROM records.tv
)
WHERE entry.credit_id <> ''
QUALIFY row_number() OVER (PARTITION BY entry.credit_id ORDER BY answered DESC, line DESC, position) = 1
