-- One row a movie in the 24 columns of the best-known public set, lists joined by ", ".
CREATE VIEW movies_flat AS
WITH genre_lists AS (
    SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS names
    FROM movie_genres INNER JOIN genres USING (genre_id)
    GROUP BY movie_id
),
company_lists AS (
    SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS names
    FROM movie_companies INNER JOIN companies USING (company_id)
    GROUP BY movie_id
),
country_lists AS (
    SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS names
    FROM movie_countries INNER JOIN countries USING (country_code)
    WHERE role = 'production'
    GROUP BY movie_id
),
language_lists AS (
    SELECT movie_id, string_agg(english_name, ', ' ORDER BY position) AS names
    FROM movie_languages INNER JOIN languages USING (language_code)
    GROUP BY movie_id
),
keyword_lists AS (
    SELECT movie_id, string_agg(name, ', ' ORDER BY position) AS names
    FROM movie_keywords INNER JOIN keywords USING (keyword_id)
    GROUP BY movie_id
)
SELECT
    movies.movie_id AS id,
    movies.title,
    movies.vote_average,
    movies.vote_count,
    movies.status,
    movies.release_date,
    coalesce(movies.revenue_usd, 0) AS revenue,
    coalesce(movies.runtime_minutes, 0) AS runtime,
    movies.adult,
    movies.backdrop_path,
    coalesce(movies.budget_usd, 0) AS budget,
    movies.homepage,
    movies.imdb_id,
    movies.original_language,
    movies.original_title,
    movies.overview,
    movies.popularity,
    movies.poster_path,
    movies.tagline,
    genre_lists.names AS genres,
    company_lists.names AS production_companies,
    country_lists.names AS production_countries,
    language_lists.names AS spoken_languages,
    keyword_lists.names AS keywords
FROM movies
LEFT JOIN genre_lists USING (movie_id)
LEFT JOIN company_lists USING (movie_id)
LEFT JOIN country_lists USING (movie_id)
LEFT JOIN language_lists USING (movie_id)
LEFT JOIN keyword_lists USING (movie_id);
