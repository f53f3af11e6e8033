SELECT
    person_id AS ":ID(Person)",
    person_id AS "person_id:long",
    imdb_id AS "imdb_id",
    name AS "name",
    gender AS "gender:long",
    birthday AS "birthday:date",
    deathday AS "deathday:date",
    place_of_birth AS "place_of_birth",
    biography AS "biography",
    popularity AS "popularity:double",
    profile_path AS "profile_path"
FROM people
ORDER BY person_id
