SELECT genre_id AS ":ID(Genre)", genre_id AS "genre_id:long", name AS "name"
FROM genres
ORDER BY genre_id
