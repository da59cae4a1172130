-- Loads the demo's data with psql, from the folder of this file:  cd demo/data && psql -d DATABASE -f load.sql
\set ON_ERROR_STOP on
BEGIN;
\i schema.sql
\copy public.support_docs FROM PROGRAM 'gzip -dc support_docs.csv.gz' (FORMAT csv, HEADER match)
\copy public.products FROM products.csv (FORMAT csv, HEADER match)
COMMIT;
ANALYZE public.support_docs, public.products;
