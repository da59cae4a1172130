-- Reports: what dashboards and notebooks ask.

-- # orders a month
SELECT date_trunc('month', placed_at) AS month, count(*) AS orders, sum(total) AS revenue FROM orders GROUP BY 1 ORDER BY 1;

-- # customers a week by country
SELECT date_trunc('week', created_at) AS week, country, count(*) FROM customers GROUP BY week, country ORDER BY week, country;

-- # with a calendar that has no gaps
SELECT day::date, count(o.id) AS orders FROM generate_series(timestamptz '2024-02-01', timestamptz '2024-02-20', interval '1 day') AS day
LEFT JOIN orders o ON o.placed_at >= day AND o.placed_at < day + interval '1 day' GROUP BY day ORDER BY day;

-- # new customers with a calendar
SELECT d::date AS day, count(c.id) FROM generate_series(date '2024-01-01', date '2024-01-31', interval '1 day') d LEFT JOIN customers c ON c.created_at::date = d::date GROUP BY 1 ORDER BY 1;

-- # running total
SELECT day, revenue, sum(revenue) OVER (ORDER BY day) AS running FROM (SELECT placed_at::date AS day, sum(total) AS revenue FROM orders GROUP BY 1) d ORDER BY day;

-- # moving average
SELECT day, avg(n) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM (SELECT at::date AS day, count(*) AS n FROM events GROUP BY 1) d ORDER BY day;

-- # month over month
WITH m AS (SELECT date_trunc('month', placed_at) AS month, sum(total) AS revenue FROM orders GROUP BY 1)
SELECT month, revenue, revenue - lag(revenue) OVER w AS change, round(100 * (revenue / lag(revenue) OVER w - 1), 1) AS percent FROM m WINDOW w AS (ORDER BY month) ORDER BY month;

-- # percentiles
SELECT status, percentile_cont(0.5) WITHIN GROUP (ORDER BY total) AS median, percentile_disc(array[0.9, 0.99]) WITHIN GROUP (ORDER BY total) FROM orders GROUP BY status ORDER BY status;

-- # percentile of a masked column
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY salary) FROM customers;

-- # latency from JSON
SELECT payload ->> 'path' AS path, count(*), avg((payload ->> 'ms')::int), percentile_cont(0.95) WITHIN GROUP (ORDER BY (payload ->> 'ms')::int) FROM events WHERE kind = 'view' GROUP BY 1 ORDER BY 1;

-- # pivot by FILTER
SELECT country, count(*) FILTER (WHERE status = 'active') AS active, count(*) FILTER (WHERE status = 'paused') AS paused, count(*) FILTER (WHERE status = 'gone') AS gone FROM customers GROUP BY country ORDER BY country;

-- # pivot by CASE
SELECT tenant_id, sum(CASE WHEN country = 'DE' THEN 1 ELSE 0 END) AS de, sum(CASE WHEN country = 'FR' THEN 1 ELSE 0 END) AS fr, max(CASE WHEN country = 'US' THEN name END) AS us FROM customers GROUP BY tenant_id ORDER BY tenant_id;

-- # rollup
SELECT country, status, count(*) FROM customers GROUP BY ROLLUP (country, status) ORDER BY country NULLS LAST, status NULLS LAST;

-- # cube with GROUPING
SELECT tenant_id, country, grouping(tenant_id, country) AS level, count(*), avg(salary) FROM customers GROUP BY CUBE (tenant_id, country) ORDER BY 3, 1, 2;

-- # grouping sets
SELECT kind, date_trunc('month', at) AS month, count(*) FROM events GROUP BY GROUPING SETS ((kind), (date_trunc('month', at)), ()) ORDER BY 1 NULLS LAST, 2 NULLS LAST;

-- # top customers of each country
SELECT * FROM (SELECT c.country, c.name, sum(o.total) AS spent, row_number() OVER (PARTITION BY c.country ORDER BY sum(o.total) DESC, c.name) AS place FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.country, c.name) ranked WHERE place <= 3 ORDER BY country, place;

-- # funnel
SELECT count(DISTINCT customer_id) FILTER (WHERE kind = 'login') AS logged_in, count(DISTINCT customer_id) FILTER (WHERE kind = 'view') AS viewed, count(DISTINCT customer_id) FILTER (WHERE kind = 'purchase') AS bought FROM events WHERE at < '2024-01-10';

-- # retention by cohorts
WITH first AS (SELECT customer_id, date_trunc('week', min(at)) AS cohort FROM events GROUP BY 1)
SELECT f.cohort, ((e.at::date - f.cohort::date) / 7) AS week, count(DISTINCT e.customer_id) FROM first f JOIN events e USING (customer_id) GROUP BY 1, 2 ORDER BY 1, 2;

-- # sessions by gaps
SELECT customer_id, count(*) FROM (SELECT customer_id, at - lag(at) OVER (PARTITION BY customer_id ORDER BY at) > interval '2 hours' AS starts FROM events) s WHERE starts IS NOT FALSE GROUP BY 1 ORDER BY 1 LIMIT 20;

-- # histogram
SELECT width_bucket(total, 0, 500, 10) AS bucket, count(*), min(total), max(total) FROM orders GROUP BY 1 ORDER BY 1;

-- # ntile and cume_dist
SELECT id, ntile(4) OVER (ORDER BY total, id), round(cume_dist() OVER (ORDER BY total)::numeric, 3) FROM orders WHERE customer_id < 10 ORDER BY id;

-- # customers without orders
SELECT c.id, c.name, c.email FROM customers c LEFT JOIN orders o ON o.customer_id = c.id AND o.status = 'cancelled' WHERE o.id IS NULL ORDER BY c.id LIMIT 20;

-- # duplicates by name
SELECT name, count(*) FROM customers GROUP BY name HAVING count(*) > 1 ORDER BY name;

-- # distinct on: the latest event of each customer
SELECT DISTINCT ON (customer_id) customer_id, kind, ip, at FROM events ORDER BY customer_id, at DESC LIMIT 20;

-- # masked values in a report
SELECT id, name, email, phone, ssn, salary, card FROM customers ORDER BY id LIMIT 25;

-- # masked values in expressions
SELECT id, split_part(email, '@', 2) AS domain, salary * 12 AS yearly, coalesce(phone, 'none'), left(card, 4) FROM customers ORDER BY id LIMIT 10;

-- # group by a masked column
SELECT email, count(*), avg(salary) FROM customers GROUP BY email;

-- # average of a masked column by country
SELECT country, round(avg(salary), 2) AS average, min(salary), max(salary), stddev(salary) FROM customers GROUP BY country ORDER BY country;

-- # IP addresses
SELECT ip, count(*) FROM events WHERE kind = 'login' GROUP BY ip ORDER BY 2 DESC, 1 LIMIT 10;

-- # payloads
SELECT id, payload FROM events WHERE at BETWEEN '2024-01-05' AND '2024-01-06' ORDER BY id;

-- # keys of payloads
SELECT DISTINCT jsonb_object_keys(payload) AS key FROM events ORDER BY 1;

-- # JSON unnested
SELECT e.key, count(*) FROM documents, jsonb_each_text(metadata) AS e WHERE documents.id < 50 GROUP BY e.key ORDER BY 1;

-- # tags unnested
SELECT tag, count(*) FROM customers, unnest(tags) AS tag GROUP BY tag ORDER BY tag;

-- # array_agg and string_agg
SELECT tenant_id, array_agg(name ORDER BY id) FILTER (WHERE id < 15), string_agg(DISTINCT country, ',' ORDER BY country) FROM customers GROUP BY tenant_id ORDER BY tenant_id;

-- # json_object_agg
SELECT json_object_agg(country, n ORDER BY country) FROM (SELECT country, count(*) AS n FROM customers GROUP BY country) c;

-- # row_to_json of masked rows
SELECT row_to_json(c) FROM (SELECT id, name, email, salary FROM customers WHERE id < 4 ORDER BY id) c;

-- # to_jsonb of a whole masked row
SELECT to_jsonb(c) FROM customers c WHERE id = 4;

-- # recursive: the tree of categories
WITH RECURSIVE tree AS (SELECT id, parent_id, name, 1 AS depth, name AS path FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id, c.name, t.depth + 1, t.path || ' / ' || c.name FROM categories c JOIN tree t ON c.parent_id = t.id)
SELECT * FROM tree ORDER BY path;

-- # recursive over comments with their authors
WITH RECURSIVE thread AS (SELECT id, parent_id, customer_id, text, 0 AS depth FROM comments WHERE id = 250 UNION ALL SELECT c.id, c.parent_id, c.customer_id, c.text, t.depth + 1 FROM comments c JOIN thread t ON c.id = t.parent_id)
SELECT t.id, t.depth, a.name, a.email FROM thread t JOIN customers a ON a.id = t.customer_id ORDER BY t.depth;

-- # recursive with SEARCH DEPTH FIRST
WITH RECURSIVE tree AS (SELECT id, parent_id, name FROM categories WHERE parent_id IS NULL UNION ALL SELECT c.id, c.parent_id, c.name FROM categories c JOIN tree t ON c.parent_id = t.id) SEARCH DEPTH FIRST BY id SET path
SELECT tree.id, tree.name, count(d.id) AS documents FROM tree LEFT JOIN document_categories dc ON dc.category_id = tree.id LEFT JOIN documents d ON d.id = dc.document_id GROUP BY tree.id, tree.name, path ORDER BY path;

-- # recursive with CYCLE
WITH RECURSIVE replies AS (SELECT id, parent_id, customer_id FROM comments WHERE id IN (201, 202) UNION ALL SELECT c.id, c.parent_id, c.customer_id FROM comments c JOIN replies r ON c.id = r.parent_id) CYCLE id SET looped USING path
SELECT r.id, r.looped, c.name FROM replies r JOIN customers c ON c.id = r.customer_id ORDER BY r.id;

-- # set operations
SELECT id, name FROM customers WHERE country = 'DE' EXCEPT SELECT c.id, c.name FROM customers c JOIN orders o ON o.customer_id = c.id WHERE o.status = 'cancelled' ORDER BY 1;

-- # INTERSECT
SELECT customer_id FROM orders WHERE status = 'paid' INTERSECT SELECT id FROM customers WHERE 'vip' = ANY (tags) ORDER BY 1;

-- # scalar sub-selects
SELECT t.name, (SELECT count(*) FROM customers c WHERE c.tenant_id = t.id) AS customers, (SELECT max(d.created_at) FROM documents d WHERE d.tenant_id = t.id) AS newest FROM tenants t ORDER BY t.id;

-- # quantified comparison
SELECT id, total FROM orders WHERE total >= ALL (SELECT total FROM orders) ORDER BY id;

-- # row comparison
SELECT id, name FROM customers WHERE (tenant_id, country) IN (SELECT 1, 'DE' UNION SELECT 2, 'US') ORDER BY id;

-- # NATURAL and USING joins
SELECT customer_id, count(*) FROM orders JOIN events USING (customer_id) WHERE events.kind = 'purchase' AND orders.status = 'paid' GROUP BY customer_id ORDER BY customer_id LIMIT 10;

-- # VALUES joined
SELECT v.code, v.label, count(c.id) FROM (VALUES ('DE', 'Germany'), ('FR', 'France'), ('IT', 'Italy')) AS v (code, label) LEFT JOIN customers c ON c.country = v.code GROUP BY v.code, v.label ORDER BY v.code;

-- # TABLE
TABLE tenants;

-- # extract, to_char, age, AT TIME ZONE
SELECT id, extract(isodow FROM placed_at) AS dow, to_char(placed_at AT TIME ZONE 'Europe/Berlin', 'YYYY-MM-DD HH24:MI') AS local, age(timestamptz '2024-12-31', placed_at) FROM orders WHERE id < 6 ORDER BY id;

-- # business hours heat map
SELECT extract(isodow FROM at)::int AS day, extract(hour FROM at)::int AS hour, count(*) FROM events GROUP BY 1, 2 ORDER BY 1, 2;

-- # a view of nothing masked
SELECT * FROM order_totals ORDER BY total DESC, customer_id LIMIT 10;

-- # a materialised view of nothing masked
SELECT month, status, total FROM monthly_orders ORDER BY month, status;

-- # a view of masked customers
SELECT id, name, email FROM active_customers ORDER BY id LIMIT 10;

-- # a view of masked customers, counted
SELECT tenant_id, count(*) FROM active_customers GROUP BY tenant_id ORDER BY 1;

-- # a view joined to orders
SELECT a.name, a.email, sum(o.total) FROM active_customers a JOIN orders o ON o.customer_id = a.id GROUP BY a.id, a.name, a.email ORDER BY 3 DESC, 1 LIMIT 5;

-- # sampling
SELECT count(*) > 0 AS some FROM orders TABLESAMPLE BERNOULLI (50) REPEATABLE (7);

-- # sampling a masked table
SELECT count(*) BETWEEN 0 AND 200 AS some FROM customers TABLESAMPLE BERNOULLI (50) REPEATABLE (7);

-- # partitions directly
SELECT kind, count(*), min(ip) FROM events_2024_01 GROUP BY kind ORDER BY kind;

-- # regular expressions and LIKE on open columns
SELECT id, title FROM documents WHERE title ~ '^Refund .* 1[0-9]$' OR title LIKE 'Login guide 9%' ORDER BY id;

-- # EXPLAIN of a report
EXPLAIN (FORMAT JSON) SELECT country, avg(salary) FROM customers GROUP BY country;

-- # EXPLAIN ANALYZE of a report
EXPLAIN (ANALYZE, BUFFERS) SELECT c.name, count(*) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY c.name;

-- # the index on open columns is used
-- plan: customers_tenant
EXPLAIN SELECT id, name, email FROM customers WHERE tenant_id = 2 AND status = 'paused';

-- # the index on dates is used
-- plan: customers_created
EXPLAIN SELECT name, email, phone FROM customers WHERE created_at > '2024-02-20' ORDER BY created_at LIMIT 5;

-- # COPY of a query as CSV
COPY (SELECT id, name, email, salary FROM customers WHERE tenant_id = 1 ORDER BY id) TO STDOUT (FORMAT csv, HEADER);

-- # COPY of a masked table
COPY customers (id, name, email, ssn) TO STDOUT;

-- # COPY of a masked table, all of it
COPY events_2024_01 TO STDOUT;

-- # COPY in binary
COPY (SELECT id, name, card FROM customers ORDER BY id) TO STDOUT (FORMAT binary);
