-- One row a person who is named in credits, or who was crawled.
CREATE TABLE people (
    person_id BIGINT PRIMARY KEY, -- TMDb's ID of the person
    name VARCHAR, -- the name
    original_name VARCHAR, -- the name in the person's own script
    gender BIGINT, -- 1 female, 2 male, 3 non-binary; NULL where unknown
    known_for_department VARCHAR, -- Acting, Directing, …
    popularity DOUBLE, -- TMDb's own measure, which changes every day
    profile_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    adult BOOLEAN, -- works in pornography
    imdb_id VARCHAR, -- IMDb's ID, such as nm0000246; where the people were crawled
    birthday DATE, -- where the people were crawled
    deathday DATE, -- where the people were crawled
    place_of_birth VARCHAR, -- where the people were crawled
    biography VARCHAR, -- where the people were crawled
    homepage VARCHAR -- address of the person's own page; where the people were crawled
);

WITH mentions AS (
    SELECT
        id, name, original_name, gender, known_for_department, popularity, profile_path, adult,
        answered, true AS own, line, 0 AS list, 0 AS position
    FROM records.people
    UNION ALL
    SELECT
        entry.id, entry.name, entry.original_name, entry.gender, entry.known_for_department,
        entry.popularity, entry.profile_path, entry.adult, answered, false, line, 1, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(credits."cast", 1) AS position,
            unnest(credits."cast") AS entry
        FROM records.movies
    )
    UNION ALL
    SELECT
        entry.id, entry.name, entry.original_name, entry.gender, entry.known_for_department,
        entry.popularity, entry.profile_path, entry.adult, answered, false, line, 2, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(credits.crew, 1) AS position,
            unnest(credits.crew) AS entry
        FROM records.movies
    )
    UNION ALL
    SELECT
        entry.id, entry.name, entry.original_name, entry.gender, entry.known_for_department,
        entry.popularity, entry.profile_path, entry.adult, answered, false, line, 3, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(aggregate_credits."cast", 1) AS position,
            unnest(aggregate_credits."cast") AS entry
        FROM records.tv
    )
    UNION ALL
    SELECT
        entry.id, entry.name, entry.original_name, entry.gender, entry.known_for_department,
        entry.popularity, entry.profile_path, entry.adult, answered, false, line, 4, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(aggregate_credits.crew, 1) AS position,
            unnest(aggregate_credits.crew) AS entry
        FROM records.tv
    )
    UNION ALL
    SELECT
        entry.id, entry.name, entry.original_name, entry.gender, entry.known_for_department,
        entry.popularity, entry.profile_path, entry.adult, answered, false, line, 5, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(created_by, 1) AS position,
            unnest(created_by) AS entry
        FROM records.tv
    )
),
latest AS (
    SELECT *
    FROM mentions
    WHERE id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY id
        -- Where a series names its makers (list 5), it tells the least of them.
        ORDER BY nullif(name, '') IS NULL, list = 5, answered DESC, own DESC, line DESC, list, position
    ) = 1
)
SELECT
    latest.id AS person_id,
    latest.name,
    coalesce(latest.original_name, own.original_name) AS original_name,
    nullif(latest.gender, 0) AS gender,
    latest.known_for_department,
    latest.popularity,
    latest.profile_path,
    latest.adult,
    own.imdb_id,
    iso_date(own.birthday) AS birthday,
    iso_date(own.deathday) AS deathday,
    own.place_of_birth,
    own.biography,
    own.homepage
FROM latest
LEFT JOIN records.people AS own ON own.id = latest.id
