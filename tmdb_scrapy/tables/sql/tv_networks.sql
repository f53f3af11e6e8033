-- One row a network that shows a series.
CREATE TABLE tv_networks (
    tv_id BIGINT REFERENCES tv (tv_id), -- the series
    network_id BIGINT REFERENCES networks (network_id), -- the network
    position BIGINT NOT NULL, -- place in the record's list, from 1
    PRIMARY KEY (tv_id, network_id)
);

SELECT tv_id, entry.id AS network_id, min(position) AS position
FROM (
    SELECT
        id AS tv_id,
        generate_subscripts(networks, 1) AS position,
        unnest(networks) AS entry
    FROM records.tv
)
WHERE entry.id IS NOT NULL
GROUP BY ALL
