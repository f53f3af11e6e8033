SELECT company_id AS ":ID(Company)", company_id AS "company_id:long", name AS "name"
FROM companies
ORDER BY company_id
