-- One row another name of a person who was crawled.
CREATE TABLE person_aliases (
    person_id BIGINT REFERENCES people (person_id), -- the person
    position BIGINT, -- place in the record's list, from 1
    alias VARCHAR NOT NULL, -- the other name
    PRIMARY KEY (person_id, position)
);

SELECT person_id, min(position) AS position, alias
FROM (
    SELECT
        id AS person_id,
        generate_subscripts(also_known_as, 1) AS position,
        unnest(also_known_as) AS alias
    FROM records.people
)
WHERE alias <> ''
GROUP BY person_id, alias
