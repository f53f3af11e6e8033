-- One row a movie.
CREATE TABLE movies (
    movie_id BIGINT PRIMARY KEY, -- TMDb's ID of the movie
    imdb_id VARCHAR, -- IMDb's ID, such as tt1606378
    title VARCHAR, -- title in the language of the crawl
    original_title VARCHAR, -- title in the original language
    original_language VARCHAR, -- code of the language, mostly of ISO 639-1; not always one of languages
    release_date DATE, -- first release
    release_year INTEGER, -- year of release_date
    status VARCHAR, -- Released, Post Production, Rumored, …
    runtime_minutes BIGINT, -- NULL where unknown
    budget_usd BIGINT, -- dollars of the time; NULL where unknown
    revenue_usd BIGINT, -- dollars of the time; NULL where unknown
    popularity DOUBLE, -- TMDb's own measure, which changes every day
    vote_average DOUBLE, -- mean of TMDb's votes, 0 to 10; 0 without votes
    vote_count BIGINT, -- number of TMDb's votes
    collection_id BIGINT REFERENCES collections (collection_id), -- the collection that the movie belongs to
    adult BOOLEAN, -- pornography
    video BOOLEAN, -- a video rather than a movie: a compilation, a concert, …
    overview VARCHAR, -- what the movie is about
    tagline VARCHAR, -- what its poster says
    homepage VARCHAR, -- address of its own page
    poster_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    backdrop_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    cast_size BIGINT, -- entries of the cast in the record; NULL where it has no such list
    crew_size BIGINT, -- entries of the crew in the record; NULL where it has no such list
    similar_total BIGINT, -- how many similar movies TMDb has, of which the record holds the first page
    recommendations_total BIGINT -- how many recommendations TMDb has, of which the record holds the first page
);

SELECT
    id AS movie_id,
    imdb_id,
    title,
    original_title,
    original_language,
    iso_date(release_date) AS release_date,
    year(iso_date(release_date)) AS release_year,
    status,
    nullif(runtime, 0) AS runtime_minutes,
    nullif(budget, 0) AS budget_usd,
    nullif(revenue, 0) AS revenue_usd,
    popularity,
    vote_average,
    vote_count,
    belongs_to_collection.id AS collection_id,
    adult,
    video,
    overview,
    tagline,
    homepage,
    poster_path,
    backdrop_path,
    len(credits."cast") AS cast_size,
    len(credits.crew) AS crew_size,
    "similar".total_results AS similar_total,
    recommendations.total_results AS recommendations_total
FROM records.movies
