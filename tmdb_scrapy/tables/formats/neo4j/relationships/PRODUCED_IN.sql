SELECT movie_id AS ":START_ID(Movie)", country_code AS ":END_ID(Country)"
FROM movie_countries
WHERE role = 'production'
ORDER BY movie_id, position
