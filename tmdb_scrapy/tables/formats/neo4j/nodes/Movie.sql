SELECT
    movie_id AS ":ID(Movie)",
    movie_id AS "movie_id:long",
    imdb_id AS "imdb_id",
    title AS "title",
    original_title AS "original_title",
    original_language AS "original_language",
    overview AS "overview",
    tagline AS "tagline",
    release_date AS "release_date:date",
    runtime_minutes AS "runtime_minutes:long",
    budget_usd AS "budget_usd:long",
    revenue_usd AS "revenue_usd:long",
    popularity AS "popularity:double",
    vote_average AS "vote_average:double",
    vote_count AS "vote_count:long",
    adult AS "adult:boolean",
    backdrop_path AS "backdrop_path",
    poster_path AS "poster_path"
FROM movies
ORDER BY movie_id
