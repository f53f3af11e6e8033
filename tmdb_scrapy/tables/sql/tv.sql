-- One row a series.
CREATE TABLE tv (
    tv_id BIGINT PRIMARY KEY, -- TMDb's ID of the series
    name VARCHAR, -- name in the language of the crawl
    original_name VARCHAR, -- name in the original language
    original_language VARCHAR, -- code of the language, mostly of ISO 639-1; not always one of languages
    first_air_date DATE, -- when its first episode was shown
    last_air_date DATE, -- when the latest episode was shown
    first_air_year INTEGER, -- year of first_air_date
    status VARCHAR, -- Ended, Returning Series, …
    type VARCHAR, -- Scripted, Reality, …
    in_production BOOLEAN, -- whether more of it is made
    number_of_seasons BIGINT, -- seasons so far, specials not counted
    number_of_episodes BIGINT, -- episodes so far, specials not counted
    popularity DOUBLE, -- TMDb's own measure, which changes every day
    vote_average DOUBLE, -- mean of TMDb's votes, 0 to 10; 0 without votes
    vote_count BIGINT, -- number of TMDb's votes
    adult BOOLEAN, -- pornography
    overview VARCHAR, -- what the series is about
    tagline VARCHAR, -- what its poster says
    homepage VARCHAR, -- address of its own page
    poster_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    backdrop_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    cast_size BIGINT, -- people of the cast in the record; NULL where it has no such list
    crew_size BIGINT, -- people of the crew, by department, in the record; NULL where it has no such list
    similar_total BIGINT, -- how many similar series TMDb has, of which the record holds the first page
    recommendations_total BIGINT -- how many recommendations TMDb has, of which the record holds the first page
);

SELECT
    id AS tv_id,
    name,
    original_name,
    original_language,
    iso_date(first_air_date) AS first_air_date,
    iso_date(last_air_date) AS last_air_date,
    year(iso_date(first_air_date)) AS first_air_year,
    status,
    type,
    in_production,
    number_of_seasons,
    number_of_episodes,
    popularity,
    vote_average,
    vote_count,
    adult,
    overview,
    tagline,
    homepage,
    poster_path,
    backdrop_path,
    len(aggregate_credits."cast") AS cast_size,
    len(aggregate_credits.crew) AS crew_size,
    "similar".total_results AS similar_total,
    recommendations.total_results AS recommendations_total
FROM records.tv
