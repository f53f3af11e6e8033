SELECT recommended_movie_id AS ":START_ID(Movie)", rank AS "rank:long", movie_id AS ":END_ID(Movie)"
FROM movie_recommendations
WHERE in_data
ORDER BY movie_id, rank
