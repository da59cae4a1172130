-- Over the small relations with one index each (schema.py, INDEXED): in what order do rows come, and what does a plan cost?
SELECT id, open FROM {indexed} WHERE flag
SELECT id, open FROM {indexed} WHERE flag LIMIT 5
SELECT id FROM {indexed} WHERE open > 'h'
SELECT open FROM {indexed}
SELECT open, n FROM {indexed} WHERE n = 1
SELECT id FROM {indexed} WHERE n % 3 = 1
SELECT id, h_int, h_text FROM {indexed} WHERE flag AND open < 's'
SELECT array_agg(id) FROM {indexed} WHERE flag
SELECT open, count(*) FROM {indexed} GROUP BY open
SELECT n, count(*), sum(id) FROM {indexed} WHERE flag GROUP BY n
SELECT n % 3, min(open) FROM {indexed} GROUP BY 1 LIMIT 2
SELECT flag, n, count(*) FROM {indexed} GROUP BY ROLLUP (flag, n)
SELECT n, h_int, count(*) FROM {indexed} WHERE flag GROUP BY n, h_int HAVING count(*) > 0
SELECT n AS open, open AS n, count(*) FROM {indexed} GROUP BY open, n
SELECT upper(open) AS open, count(*) FROM {indexed} GROUP BY open ORDER BY count(*)
SELECT DISTINCT n FROM {indexed} WHERE flag
SELECT DISTINCT ON (n) n, id FROM {indexed} WHERE flag
SELECT sum(f) FROM {indexed} WHERE flag
SELECT avg(f * 1.1::float8), stddev(f) FROM {indexed}
SELECT n, sum(f), variance(f) FROM {indexed} WHERE flag GROUP BY n ORDER BY n
SELECT sum(f) OVER (ORDER BY n), id FROM {indexed} WHERE flag
SELECT id, row_number() OVER () FROM {indexed} WHERE flag
SELECT id, rank() OVER (ORDER BY n), lag(open) OVER (ORDER BY n) FROM {indexed} WHERE flag
SELECT string_agg(open, ',') FROM {indexed} WHERE flag
SELECT (array_agg(open))[1] FROM {indexed} WHERE flag GROUP BY n
SELECT a.id, b.id FROM {indexed} a JOIN {indexed} b ON a.n = b.n WHERE a.flag AND b.flag LIMIT 30
SELECT a.id, b.open FROM {indexed} a LEFT JOIN {indexed} b ON a.id = b.n WHERE b.flag
SELECT t.topic, a.id FROM topics t JOIN {indexed} a ON a.n = t.weight WHERE a.flag
SELECT t.topic, (SELECT a.id FROM {indexed} a WHERE a.n = t.weight AND a.flag LIMIT 1) FROM topics t
SELECT id FROM {indexed} WHERE flag UNION ALL SELECT n FROM {indexed} WHERE flag
SELECT open FROM {indexed} WHERE flag UNION SELECT open FROM {indexed}
SELECT n FROM {indexed} WHERE flag EXCEPT SELECT 2
SELECT n FROM {indexed} INTERSECT ALL SELECT n FROM {indexed} WHERE flag
SELECT * FROM {indexed} WHERE flag OFFSET 2
SELECT h_text FROM {indexed} WHERE flag
SELECT id FROM {indexed} WHERE flag FETCH FIRST 3 ROWS ONLY
SELECT id FROM {indexed} WHERE flag ORDER BY n LIMIT 4
SELECT id FROM {indexed} WHERE flag ORDER BY n FETCH FIRST 3 ROWS WITH TIES
SELECT id FROM {indexed} WHERE flag ORDER BY h_int
SELECT id FROM {indexed} WHERE flag ORDER BY h_text DESC, n
SELECT id FROM {indexed} WHERE h_int > 10 OR flag
SELECT id FROM {indexed} WHERE (open, h_int) > ('k', 3)
SELECT max(open), min(id) FROM {indexed} WHERE flag
SELECT id FROM {indexed} TABLESAMPLE BERNOULLI (60) REPEATABLE (2) WHERE flag
SELECT x.id FROM (SELECT id, flag FROM {indexed} OFFSET 0) x WHERE x.flag
WITH c AS (SELECT id, n FROM {indexed} WHERE flag) SELECT n, array_agg(id) FROM c GROUP BY n
WITH RECURSIVE r(id, d) AS (SELECT id, 0 FROM {indexed} WHERE flag UNION SELECT n, d + 1 FROM {indexed}, r WHERE d < 1 AND flag) SELECT * FROM r LIMIT 40
SELECT json_agg(i) FROM (SELECT id, open FROM {indexed} WHERE flag) i
SELECT to_json(ARRAY(SELECT id FROM {indexed} WHERE flag))
SELECT i FROM {indexed} i WHERE flag
EXPLAIN SELECT id, open FROM {indexed} WHERE flag
EXPLAIN SELECT open FROM {indexed} WHERE open > 'k'
EXPLAIN SELECT open, n FROM {indexed} WHERE n = 1
EXPLAIN SELECT count(*) FROM {indexed} WHERE flag
EXPLAIN SELECT n, count(*) FROM {indexed} WHERE flag GROUP BY n
EXPLAIN SELECT id FROM {indexed} WHERE h_int = 7
EXPLAIN SELECT * FROM {indexed} WHERE flag AND h_text > 'k'
EXPLAIN SELECT id FROM {indexed} WHERE n % 3 = 1
EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT id, open FROM {indexed} WHERE flag
EXPLAIN (ANALYZE, TIMING off, SUMMARY off, BUFFERS off) SELECT open FROM {indexed} WHERE open > 'k'
UPDATE {indexed} SET flag = NOT flag WHERE flag RETURNING id
UPDATE {indexed} SET open = 'x' WHERE n = 1 RETURNING id, open
DELETE FROM {indexed} WHERE flag RETURNING id
DELETE FROM {indexed} WHERE n < 3 RETURNING open, h_int
INSERT INTO sink (t, n) SELECT open, id FROM {indexed} WHERE flag RETURNING id, n
COPY (SELECT id FROM {indexed} WHERE flag) TO STDOUT
COPY {indexed} (id, open) TO STDOUT
SELECT id FROM {indexed} WHERE flag AND nextval('counter') % 3 = 0
SELECT count(*) FILTER (WHERE nextval('counter') % 2 = 0 AND id < 20) FROM {indexed} WHERE flag
SELECT id FROM {indexed} AS x, LATERAL (SELECT nextval('counter') + x.id * 0 AS k) q WHERE flag ORDER BY k LIMIT 3
SELECT id FROM {indexed} TABLESAMPLE BERNOULLI (40) REPEATABLE (3) WHERE flag
