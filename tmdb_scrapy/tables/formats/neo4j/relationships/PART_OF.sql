SELECT movie_id AS ":START_ID(Movie)", collection_id AS ":END_ID(Collection)"
FROM movies
WHERE collection_id IS NOT NULL
ORDER BY movie_id
