-- One row a part that a person plays in a series.
CREATE TABLE tv_cast (
    credit_id VARCHAR PRIMARY KEY, -- TMDb's ID of the credit
    tv_id BIGINT NOT NULL REFERENCES tv (tv_id), -- the series
    person_id BIGINT REFERENCES people (person_id), -- who plays
    billing_order BIGINT, -- place in the credits, from 0
    character_name VARCHAR, -- whom the person plays
    episode_count BIGINT -- in so many episodes
);

SELECT
    entry.credit_id AS credit_id,
    tv_id,
    person.id AS person_id,
    person."order" AS billing_order,
    entry."character" AS character_name,
    entry.episode_count AS episode_count
FROM (
    SELECT
        tv_id,
        answered,
        line,
        place,
        person,
        generate_subscripts(person.roles, 1) AS position,
        unnest(person.roles) AS entry
    FROM (
        SELECT
            id AS tv_id,
            answered,
            line,
            generate_subscripts(aggregate_credits."cast", 1) AS place,
            unnest(aggregate_credits."cast") AS person
        FROM records.tv
    )
)
WHERE entry.credit_id <> ''
QUALIFY row_number() OVER (
    PARTITION BY entry.credit_id ORDER BY answered DESC, line DESC, place, position
) = 1
