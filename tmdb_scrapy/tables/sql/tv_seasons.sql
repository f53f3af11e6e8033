-- One row a season of a series.
CREATE TABLE tv_seasons (
    season_id BIGINT PRIMARY KEY, -- TMDb's ID of the season
    tv_id BIGINT NOT NULL REFERENCES tv (tv_id), -- the series
    season_number BIGINT, -- 0 for specials
    name VARCHAR, -- name in the language of the crawl
    air_date DATE, -- when its first episode was shown
    episode_count BIGINT, -- episodes so far
    overview VARCHAR, -- what the season is about
    poster_path VARCHAR, -- path of an image, below https://image.tmdb.org/t/p/original
    vote_average DOUBLE -- mean of TMDb's votes, 0 to 10; 0 without votes
);

SELECT
    entry.id AS season_id,
    tv_id,
    entry.season_number AS season_number,
    entry.name AS name,
    iso_date(entry.air_date) AS air_date,
    entry.episode_count AS episode_count,
    entry.overview AS overview,
    entry.poster_path AS poster_path,
    entry.vote_average AS vote_average
FROM (
    SELECT
        id AS tv_id,
        answered,
        line,
        generate_subscripts(seasons, 1) AS position,
        unnest(seasons) AS entry
    FROM records.tv
)
WHERE entry.id IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY entry.id ORDER BY answered DESC, line DESC, position) = 1
