SELECT country_code AS ":ID(Country)", country_code AS "country_code", name AS "name"
FROM countries
ORDER BY country_code
