-- One row a language that is spoken in a movie.
CREATE TABLE movie_languages (
    movie_id BIGINT REFERENCES movies (movie_id), -- the movie
    language_code VARCHAR REFERENCES languages (language_code), -- the language
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (movie_id, language_code)
);

SELECT movie_id, entry.iso_639_1 AS language_code, min(position) AS position
FROM (
    SELECT
        id AS movie_id,
        generate_subscripts(spoken_languages, 1) AS position,
        unnest(spoken_languages) AS entry
    FROM records.movies
)
WHERE entry.iso_639_1 <> ''
GROUP BY ALL
