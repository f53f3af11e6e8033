-- One row a language that is spoken in a series.
CREATE TABLE tv_languages (
    tv_id BIGINT REFERENCES tv (tv_id), -- the series
    language_code VARCHAR REFERENCES languages (language_code), -- the language
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (tv_id, language_code)
);

SELECT tv_id, entry.iso_639_1 AS language_code, min(position) AS position
FROM (
    SELECT
        id AS tv_id,
        generate_subscripts(spoken_languages, 1) AS position,
        unnest(spoken_languages) AS entry
    FROM records.tv
)
WHERE entry.iso_639_1 <> ''
GROUP BY ALL
