SELECT movie_id AS ":START_ID(Movie)", rank AS "rank:long", similar_movie_id AS ":END_ID(Movie)"
FROM movie_similar
WHERE in_data
ORDER BY movie_id, rank
