SELECT movie_id AS ":START_ID(Movie)", genre_id AS ":END_ID(Genre)"
FROM movie_genres
ORDER BY movie_id, position
