-- One row a keyword that a movie or a series has, or that was crawled.
CREATE TABLE keywords (
    keyword_id BIGINT PRIMARY KEY, -- TMDb's ID of the keyword
    name VARCHAR -- the keyword itself
);

WITH mentions AS (
    SELECT id, name, answered, true AS own, line, 1 AS position
    FROM records.keywords
    UNION ALL
    SELECT entry.id, entry.name, answered, false, line, position
    FROM (
        SELECT
            answered,
            line,
            generate_subscripts(keywords.keywords, 1) AS position,
            unnest(keywords.keywords) AS entry
        FROM records.movies
        UNION ALL
        SELECT answered, line, generate_subscripts(keywords.results, 1), unnest(keywords.results)
        FROM records.tv
    )
)
SELECT id AS keyword_id, name
FROM mentions
WHERE id IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY id
    ORDER BY nullif(name, '') IS NULL, answered DESC, own DESC, line DESC, position
) = 1
