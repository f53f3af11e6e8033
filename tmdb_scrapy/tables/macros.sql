-- A day as ISO 8601 writes it, in the Gregorian calendar; NULL for every other text. TRY_CAST alone would
-- also take "epoch", "infinity", the year 0 and days without leading zeros.
CREATE MACRO memory.main.iso_date(text) AS
    CASE
        WHEN regexp_full_match(text, '[0-9]{4}-[0-9]{2}-[0-9]{2}') AND text >= '0001'
        THEN try_cast(text AS DATE)
    END;
