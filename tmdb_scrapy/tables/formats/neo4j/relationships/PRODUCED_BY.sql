SELECT movie_id AS ":START_ID(Movie)", company_id AS ":END_ID(Company)"
FROM movie_companies
ORDER BY movie_id, position
