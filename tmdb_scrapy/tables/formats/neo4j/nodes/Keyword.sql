SELECT keyword_id AS ":ID(Keyword)", keyword_id AS "keyword_id:long", name AS "name"
FROM keywords
ORDER BY keyword_id
