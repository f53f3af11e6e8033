-- One row a job that a person does for a series.
CREATE TABLE tv_crew (
    credit_id VARCHAR PRIMARY KEY, -- TMDb's ID of the credit
    tv_id BIGINT NOT NULL REFERENCES tv (tv_id), -- the series
    person_id BIGINT REFERENCES people (person_id), -- who works
    department VARCHAR, -- Directing, Writing, Sound, …
    job VARCHAR, -- Director, Screenplay, Foley, …
    episode_count BIGINT -- in so many episodes
);

SELECT
    entry.credit_id AS credit_id,
    tv_id,
    person.id AS person_id,
    person.department AS department,
    entry.job AS job,
    entry.episode_count AS episode_count
FROM (
    SELECT
        tv_id,
        answered,
        line,
        place,
        person,
        generate_subscripts(person.jobs, 1) AS position,
        unnest(person.jobs) AS entry
    FROM (
        SELECT
            id AS tv_id,
            answered,
            line,
            generate_subscripts(aggregate_credits."crew", 1) AS place,
            unnest(aggregate_credits."crew") AS person
        FROM records.tv
    )
)
WHERE entry.credit_id <> ''
QUALIFY row_number() OVER (
    PARTITION BY entry.credit_id ORDER BY answered DESC, line DESC, place, position
) = 1
