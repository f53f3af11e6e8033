-- One row a language that is spoken in a movie or a series.
CREATE TABLE languages (
    language_code VARCHAR PRIMARY KEY, -- of ISO 639-1, or TMDb's own, as xx for none
    name VARCHAR, -- in the language itself
    english_name VARCHAR -- in English
);

WITH mentions AS (
    SELECT
        answered,
        line,
        generate_subscripts(spoken_languages, 1) AS position,
        unnest(spoken_languages) AS entry
    FROM records.movies
    UNION ALL
    SELECT answered, line, generate_subscripts(spoken_languages, 1), unnest(spoken_languages)
    FROM records.tv
)
SELECT entry.iso_639_1 AS language_code, entry.name AS name, entry.english_name AS english_name
FROM mentions
WHERE entry.iso_639_1 <> ''
QUALIFY row_number() OVER (
    PARTITION BY entry.iso_639_1
    ORDER BY nullif(entry.english_name, '') IS NULL, answered DESC, line DESC, position
) = 1
