SELECT movie_id AS ":START_ID(Movie)", keyword_id AS ":END_ID(Keyword)"
FROM movie_keywords
ORDER BY movie_id, position
