-- Retrieval: nearest neighbours with filters, hybrid search, reranking, and what surrounds them.
-- against: search

-- # k nearest by cosine
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]"]
SELECT id, title FROM documents ORDER BY embedding <=> $1 LIMIT 10;

-- # k nearest with the distance
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]", "5"]
SELECT id, title, embedding <=> $1 AS distance FROM documents ORDER BY distance LIMIT $2;

-- # k nearest in binary
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]", "5"]
-- binary
SELECT id, title, 1 - (embedding <=> $1) AS score, embedding FROM documents ORDER BY embedding <=> $1 LIMIT $2;

-- # k nearest with a literal and a tenant
SELECT id, title, body FROM documents WHERE tenant_id = 2 AND published ORDER BY embedding <=> '[0.3,0.1,0.3,0.4,-0.5,0.6,0.7,1]' LIMIT 8;

-- # k nearest by inner product and by L2
SELECT id FROM documents ORDER BY embedding <#> '[0.3,0.1,0.3,0.4,-0.5,0.6,0.7,1]' LIMIT 8;
SELECT id FROM documents ORDER BY embedding <-> '[0.3,0.1,0.3,0.4,-0.5,0.6,0.7,1]' LIMIT 8;
SELECT id FROM documents ORDER BY embedding <+> '[0.3,0.1,0.3,0.4,-0.5,0.6,0.7,1]' LIMIT 8;

-- # by functions instead of operators
SELECT id, cosine_distance(embedding, '[0.3,0.1,0.3,0.4,-0.5,0.6,0.7,1]') AS d FROM documents ORDER BY cosine_distance(embedding, '[0.3,0.1,0.3,0.4,-0.5,0.6,0.7,1]') LIMIT 3;

-- # metadata filter by ->>
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]", "privacy"]
SELECT id, title, metadata FROM documents WHERE metadata ->> 'topic' = $2 ORDER BY embedding <=> $1 LIMIT 5;

-- # metadata filter by containment
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]", "{\"topic\": \"billing\"}"]
SELECT id, title, metadata FROM documents WHERE metadata @> $2::jsonb ORDER BY embedding <=> $1 LIMIT 5;

-- # several metadata filters
SELECT id, metadata ->> 'source' AS source FROM documents WHERE metadata ->> 'topic' IN ('refund', 'billing') AND (metadata ->> 'page')::int BETWEEN 3 AND 20 AND metadata -> 'tags' ? 't1'
ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5;

-- # chunks, whose scores do not show
-- bind: ["[0.5,0.1,0.2,1]", "6"]
SELECT id, document_id, content FROM chunks ORDER BY embedding <-> $1 LIMIT $2;

-- # chunks with their documents
SELECT c.content, d.title, d.metadata ->> 'source' AS source FROM chunks c JOIN documents d ON d.id = c.document_id WHERE d.lang = 'en' ORDER BY c.embedding <-> '[0.5,0.1,0.2,1]' LIMIT 6;

-- # chunks, then their neighbours in the text
WITH hits AS (SELECT id, document_id, position FROM chunks ORDER BY embedding <-> '[0.5,0.1,0.2,1]' LIMIT 4)
SELECT c.document_id, c.position, c.content FROM hits h JOIN chunks c ON c.document_id = h.document_id AND c.position BETWEEN h.position - 1 AND h.position + 1 ORDER BY c.document_id, c.position;

-- # with joins to author and tenant
SELECT d.id, d.title, a.name AS author, a.email, t.name AS tenant FROM documents d LEFT JOIN customers a ON a.id = d.author_id JOIN tenants t ON t.id = d.tenant_id
WHERE t.plan <> 'free' ORDER BY d.embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5;

-- # permission by a sub-select
SELECT id, title FROM documents WHERE tenant_id IN (SELECT id FROM tenants WHERE plan = 'team') AND EXISTS (SELECT 1 FROM document_categories c WHERE c.document_id = documents.id AND c.category_id < 5)
ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5;

-- # in a CTE with a threshold outside
WITH nearest AS (SELECT id, title, embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' AS distance FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 20)
SELECT id, title, distance FROM nearest WHERE distance < 0.8 ORDER BY distance;

-- # in a materialised CTE, ordered anew
WITH nearest AS MATERIALIZED (SELECT id, title, embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' AS distance FROM documents WHERE tenant_id = 1 ORDER BY distance LIMIT 20)
SELECT * FROM nearest ORDER BY distance + 0, id LIMIT 5;

-- # in a sub-select with an alias
SELECT t.id, t.score FROM (SELECT id, 1 - (embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]') AS score FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 20) t WHERE t.score > 0.3 ORDER BY t.score DESC;

-- # in a LATERAL, for each tenant
SELECT t.name, n.id, n.title FROM tenants t CROSS JOIN LATERAL (SELECT d.id, d.title FROM documents d WHERE d.tenant_id = t.id ORDER BY d.embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 3) n ORDER BY t.name, n.id;

-- # offset: the second page
SELECT id, title FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 10 OFFSET 10;

-- # FETCH FIRST
SELECT id FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' FETCH FIRST 5 ROWS ONLY;

-- # a second sort key
SELECT id, title FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]', id LIMIT 10;

-- # the row whole
SELECT * FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 3;

-- # the query vector cast
SELECT id FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]'::vector LIMIT 3;
SELECT id FROM documents ORDER BY embedding <=> ARRAY[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]::vector LIMIT 3;
SELECT id FROM documents ORDER BY embedding <=> CAST('[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' AS vector(8)) LIMIT 3;

-- # rank by ROW_NUMBER at the level of the search
SELECT id, ROW_NUMBER() OVER (ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]') AS rank FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 10;

-- # hybrid: RANK() OVER both legs, RRF by FULL OUTER JOIN (pgvector's own example)
WITH semantic_search AS (
  SELECT id, RANK() OVER (ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]') AS rank FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 20
), keyword_search AS (
  SELECT id, RANK() OVER (ORDER BY ts_rank_cd(search, query) DESC) AS rank FROM documents, plainto_tsquery('english', 'refund') query
  WHERE search @@ query ORDER BY ts_rank_cd(search, query) DESC, id LIMIT 20
)
SELECT COALESCE(semantic_search.id, keyword_search.id) AS id, COALESCE(1.0 / (60 + semantic_search.rank), 0.0) + COALESCE(1.0 / (60 + keyword_search.rank), 0.0) AS score
FROM semantic_search FULL OUTER JOIN keyword_search ON semantic_search.id = keyword_search.id ORDER BY score DESC, id LIMIT 5;

-- # hybrid with parameters
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]", "invoice", "60"]
WITH semantic_search AS (
  SELECT id, RANK () OVER (ORDER BY embedding <=> $1) AS rank FROM documents ORDER BY embedding <=> $1 LIMIT 20
), keyword_search AS (
  SELECT id, RANK () OVER (ORDER BY ts_rank_cd(to_tsvector('english', body), query) DESC) FROM documents, plainto_tsquery('english', $2) query
  WHERE to_tsvector('english', body) @@ query ORDER BY ts_rank_cd(to_tsvector('english', body), query) DESC, id LIMIT 20
)
SELECT COALESCE(semantic_search.id, keyword_search.id) AS id, COALESCE(1.0 / ($3::int + semantic_search.rank), 0.0) + COALESCE(1.0 / ($3::int + keyword_search.rank), 0.0) AS score
FROM semantic_search FULL OUTER JOIN keyword_search ON semantic_search.id = keyword_search.id ORDER BY score DESC, id LIMIT 5;

-- # hybrid: ROW_NUMBER over a sub-select (Supabase's form)
WITH full_text AS (
  SELECT id, row_number() OVER (ORDER BY ts_rank_cd(search, websearch_to_tsquery('english', 'shipping parcels')) DESC, id) AS rank_ix FROM documents
  WHERE search @@ websearch_to_tsquery('english', 'shipping parcels') ORDER BY rank_ix LIMIT least(10, 30) * 2
), semantic AS (
  SELECT id, row_number() OVER (ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]') AS rank_ix FROM documents ORDER BY rank_ix LIMIT least(10, 30) * 2
)
SELECT documents.id, documents.title FROM full_text FULL OUTER JOIN semantic ON full_text.id = semantic.id JOIN documents ON coalesce(full_text.id, semantic.id) = documents.id
ORDER BY coalesce(1.0 / (50 + full_text.rank_ix), 0.0) + coalesce(1.0 / (50 + semantic.rank_ix), 0.0) DESC, documents.id LIMIT least(10, 30);

-- # hybrid: ranks numbered over the nearest
WITH nearest AS (SELECT id, embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' AS distance FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 30),
semantic AS (SELECT id, row_number() OVER (ORDER BY distance) AS rank FROM nearest),
lexical AS (SELECT id, row_number() OVER (ORDER BY ts_rank(search, q) DESC, id) AS rank FROM documents, to_tsquery('english', 'login | password') q WHERE search @@ q LIMIT 30)
SELECT id, sum(1.0 / (60 + rank)) AS score FROM (SELECT * FROM semantic UNION ALL SELECT * FROM lexical) both_legs GROUP BY id ORDER BY score DESC, id LIMIT 10;

-- # hybrid: UNION ALL of both legs with their scores
SELECT id, max(score) AS score FROM (
  (SELECT id, 1 - (embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]') AS score FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 10)
  UNION ALL
  (SELECT id, ts_rank(search, plainto_tsquery('english', 'refund')) AS score FROM documents WHERE search @@ plainto_tsquery('english', 'refund') ORDER BY score DESC, id LIMIT 10)
) merged GROUP BY id ORDER BY score DESC, id LIMIT 10;

-- # hybrid over chunks whose scores do not show
WITH semantic AS (SELECT id, content, ROW_NUMBER() OVER (ORDER BY embedding <-> '[0.5,0.1,0.2,1]') AS rank FROM chunks ORDER BY embedding <-> '[0.5,0.1,0.2,1]' LIMIT 20),
lexical AS (SELECT id, content, ROW_NUMBER() OVER (ORDER BY ts_rank(to_tsvector('english', content), plainto_tsquery('english', 'chunk 7')) DESC, id) AS rank FROM chunks WHERE to_tsvector('english', content) @@ plainto_tsquery('english', 'chunk 7') LIMIT 20)
SELECT coalesce(s.id, l.id) AS id, coalesce(1.0 / (60 + s.rank), 0) + coalesce(1.0 / (60 + l.rank), 0) AS score FROM semantic s FULL OUTER JOIN lexical l USING (id) ORDER BY score DESC, 1 LIMIT 10;

-- # nearest, grouped by document outside
SELECT document_id, count(*) AS hits FROM (SELECT document_id FROM chunks ORDER BY embedding <-> '[0.5,0.1,0.2,1]' LIMIT 20) near GROUP BY document_id ORDER BY hits DESC, document_id;

-- # one chunk for each document of the nearest
SELECT DISTINCT ON (document_id) document_id, content FROM (SELECT document_id, content, position FROM chunks ORDER BY embedding <-> '[0.5,0.1,0.2,1]' LIMIT 20) near ORDER BY document_id, position;

-- # context as one JSON
SELECT json_agg(json_build_object('id', id, 'title', title, 'meta', metadata) ORDER BY id) FROM (SELECT id, title, metadata FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5) near;

-- # context as one text
SELECT string_agg(content, E'\n---\n') FROM (SELECT content FROM chunks ORDER BY embedding <-> '[0.5,0.1,0.2,1]' LIMIT 5) near;

-- # tokens up to a budget
SELECT id, content FROM (SELECT id, content, sum(tokens) OVER (ORDER BY n) AS used FROM (SELECT id, content, tokens, row_number() OVER () AS n FROM (SELECT id, content, tokens FROM chunks ORDER BY embedding <-> '[0.5,0.1,0.2,1]' LIMIT 20) near) numbered) counted WHERE used <= 400 ORDER BY used;

-- # binary-quantized prefilter's second step by ids
SELECT id, title FROM documents WHERE id = ANY ('{3,5,8,13,21}'::bigint[]) ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5;

-- # iterative scan and ef_search for one transaction
BEGIN;
SET LOCAL hnsw.ef_search = 100;
SET LOCAL hnsw.iterative_scan = strict_order;
SET LOCAL hnsw.max_scan_tuples = 20000;
SELECT id FROM documents WHERE tenant_id = 3 ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 10;
COMMIT;

-- # probes of ivfflat for the session
SET ivfflat.probes = 10;
SELECT id FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 10;
RESET ivfflat.probes;

-- # set_config for one transaction
BEGIN;
SELECT set_config('hnsw.ef_search', '80', true);
SELECT id FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 10;
COMMIT;

-- # the index is used for a search
-- plan: documents_embedding
EXPLAIN SELECT id, title, body FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5;

-- # the index is used for a search with its score, a join and a filter
-- plan: documents_embedding
EXPLAIN SELECT d.id, a.email, 1 - (d.embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]') AS score FROM documents d LEFT JOIN customers a ON a.id = d.author_id WHERE d.published ORDER BY d.embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 5;

-- # the index on full text is used
-- plan: documents_search
EXPLAIN SELECT id, title FROM documents WHERE search @@ plainto_tsquery('english', 'refund manager');

-- # the GIN index on metadata is used by containment
-- plan: documents_metadata
EXPLAIN SELECT id, title FROM documents WHERE metadata @> '{"topic": "privacy", "page": 7}';

-- # the index on a metadata key is used by equality
-- plan: documents_topic
EXPLAIN SELECT id, title FROM documents WHERE metadata ->> 'topic' = 'privacy';

-- # the GIN index on metadata is used by a parameter
-- plan: documents_metadata
-- bind: ["{\"topic\": \"privacy\"}"]
EXPLAIN SELECT id, title FROM documents WHERE metadata @> $1::jsonb;

-- # containment of what was removed finds nothing
SELECT id FROM documents WHERE metadata @> '{"author_email": "author7@mail.example"}';
SELECT id FROM documents WHERE metadata ->> 'author_email' = 'author7@mail.example';

-- # trigram search beside vectors
SELECT id, title, similarity(title, 'Refnd guid') AS s FROM documents WHERE title % 'Refund guide' ORDER BY s DESC, id LIMIT 5;

-- # headline and rank of full text
SELECT id, ts_headline('english', body, q) AS excerpt, ts_rank_cd(search, q, 32) AS rank FROM documents, websearch_to_tsquery('english', 'refunds -manager') q WHERE search @@ q ORDER BY rank DESC, id LIMIT 5;

-- # facets beside a search
SELECT metadata ->> 'topic' AS topic, count(*) FROM documents WHERE published GROUP BY 1 ORDER BY 2 DESC, 1;

-- # how many documents have vectors by count
SELECT count(*) FROM documents WHERE tenant_id = 1;

-- # sources of the nearest
SELECT DISTINCT source FROM (SELECT metadata ->> 'source' AS source FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 10) s ORDER BY 1;

-- # a cursor over a search
BEGIN;
DECLARE near CURSOR FOR SELECT id, title FROM documents ORDER BY embedding <=> '[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]' LIMIT 20;
FETCH 5 FROM near;
FETCH FORWARD 5 FROM near;
CLOSE near;
COMMIT;

-- # a prepared search
PREPARE near (vector, int) AS SELECT id, title FROM documents ORDER BY embedding <=> $1 LIMIT $2;
EXECUTE near ('[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]', 3);
EXECUTE near ('[0.9,0.2,0.3,0.4,0.5,0.6,0.7,1]', 5);
DEALLOCATE near;

-- # pages of a search by the extended protocol
-- bind: ["[0.1,0.2,0.3,0.4,0.5,0.6,0.7,1]"]
-- rows: 4
SELECT id, title FROM documents ORDER BY embedding <=> $1 LIMIT 12;

-- # add a document with its vector
-- against: masked
-- bind: ["1", "New guide", "Text of it", "{\"topic\": \"refund\"}", "[1,2,3,4,5,6,7,8]"]
INSERT INTO documents (tenant_id, title, body, metadata, embedding) VALUES ($1, $2, $3, $4, $5) RETURNING id;

-- # add chunks of a document
-- against: masked
INSERT INTO chunks (id, document_id, position, content, tokens) VALUES ('00000000-0000-4000-8000-000000000001', 1, 100, 'More', 3), ('00000000-0000-4000-8000-000000000002', 1, 101, 'And more', 4);

-- # change a text and its tokens
-- against: masked
UPDATE chunks SET content = 'Changed', tokens = 9 WHERE document_id = 5 AND position = 0;

-- # take a document away with its chunks
-- against: masked
DELETE FROM chunks WHERE document_id = 9;

-- # which documents have no vector yet
-- against: masked
SELECT id, title, body FROM documents WHERE id > 590 ORDER BY id;
