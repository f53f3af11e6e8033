SELECT collection_id AS ":ID(Collection)", collection_id AS "collection_id:long", name AS "name"
FROM collections
ORDER BY collection_id
