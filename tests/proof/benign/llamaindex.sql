-- llama-index-vector-stores-postgres 0.9, as psycopg2 sends it.

-- # query, top 4
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook ORDER BY distance asc 
 LIMIT 4;

-- # query with ef_search
-- against: search
SET hnsw.ef_search = 40;
SET LOCAL enable_bitmapscan = off;
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook ORDER BY distance asc 
 LIMIT 4;

-- # query with filter ==
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE metadata_->>'topic' = 'privacy' ORDER BY distance asc 
 LIMIT 4;

-- # query with filters >, <
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE (metadata_->>'page')::float > 3.0 AND (metadata_->>'page')::float < 15.0 ORDER BY distance asc 
 LIMIT 4;

-- # query with filter in
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE metadata_->>'topic' IN ('privacy', 'refund') ORDER BY distance asc 
 LIMIT 4;

-- # query with filter nin
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE metadata_->>'topic' NOT IN ('privacy') ORDER BY distance asc 
 LIMIT 4;

-- # query with filters or
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE metadata_->>'topic' = 'refund' OR (metadata_->>'page')::float = 7.0 ORDER BY distance asc 
 LIMIT 4;

-- # query with text match
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE metadata_->>'topic' LIKE '%priv%' ORDER BY distance asc 
 LIMIT 4;

-- # query with is empty
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE metadata_->>'missing' IS NULL ORDER BY distance asc 
 LIMIT 4;

-- # hybrid
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook ORDER BY distance asc 
 LIMIT 4;
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, ts_rank(public.data_handbook.text_search_tsv, to_tsquery('english', 'refunds|passage')) AS rank 
FROM public.data_handbook 
WHERE public.data_handbook.text_search_tsv @@ to_tsquery('english', 'refunds|passage') ORDER BY rank desc 
 LIMIT 4;

-- # hybrid with filter
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook 
WHERE (metadata_->>'page')::float >= 5.0 ORDER BY distance asc 
 LIMIT 4;
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, ts_rank(public.data_handbook.text_search_tsv, to_tsquery('english', 'privacy')) AS rank 
FROM public.data_handbook 
WHERE (public.data_handbook.text_search_tsv @@ to_tsquery('english', 'privacy')) AND (metadata_->>'page')::float >= 5.0 ORDER BY rank desc 
 LIMIT 4;

-- # text search only
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, ts_rank(public.data_handbook.text_search_tsv, to_tsquery('english', 'parcels')) AS rank 
FROM public.data_handbook 
WHERE public.data_handbook.text_search_tsv @@ to_tsquery('english', 'parcels') ORDER BY rank desc 
 LIMIT 5;

-- # mmr
-- against: search
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook ORDER BY distance asc 
 LIMIT 12;

-- # add
INSERT INTO public.data_handbook (text, metadata_, node_id, embedding) VALUES ('A new passage', '{"topic": "refund", "_node_content": "{\"id_\": \"n-new\", \"embedding\": null, \"metadata\": {\"topic\": \"refund\"}, \"excluded_embed_metadata_keys\": [], \"excluded_llm_metadata_keys\": [], \"relationships\": {\"1\": {\"node_id\": \"ref-new\", \"node_type\": null, \"metadata\": {}, \"hash\": null, \"class_name\": \"RelatedNodeInfo\"}}, \"metadata_template\": \"{key}: {value}\", \"metadata_separator\": \"\\n\", \"text\": \"\", \"mimetype\": \"text/plain\", \"start_char_idx\": null, \"end_char_idx\": null, \"text_template\": \"{metadata_str}\\n\\n{content}\", \"class_name\": \"TextNode\"}", "_node_type": "TextNode", "document_id": "ref-new", "doc_id": "ref-new", "ref_doc_id": "ref-new"}'::JSONB, 'n-new', '[1.0,2.0,3.0]') RETURNING public.data_handbook.id, public.data_handbook.text_search_tsv;

-- # get_nodes by ids
SELECT public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding 
FROM public.data_handbook 
WHERE public.data_handbook.node_id IN ('node-3', 'node-5');

-- # get_nodes by filter
SELECT public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding 
FROM public.data_handbook 
WHERE metadata_->>'topic' = 'privacy';

-- # delete by ref_doc_id
DELETE FROM public.data_handbook WHERE (public.data_handbook.metadata_ ->> 'ref_doc_id') = 'ref-3' RETURNING public.data_handbook.id;

-- # delete_nodes by ids
DELETE FROM public.data_handbook WHERE public.data_handbook.node_id IN ('node-3');

-- # delete_nodes by filter
DELETE FROM public.data_handbook WHERE metadata_->>'topic' = 'privacy' RETURNING public.data_handbook.id;

-- # set up: schema, extension, table, indexes
-- against: search
SELECT schema_name FROM information_schema.schemata WHERE schema_name = 'public';
CREATE EXTENSION IF NOT EXISTS vector;
SELECT pg_catalog.pg_class.relname 
FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace 
WHERE pg_catalog.pg_class.relname = 'data_handbook' AND pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']) AND pg_catalog.pg_namespace.nspname = 'public';
SELECT public.data_handbook.id, public.data_handbook.node_id, public.data_handbook.text, public.data_handbook.metadata_, public.data_handbook.embedding <=> '[0.1,0.9,0.2]' AS distance 
FROM public.data_handbook ORDER BY distance asc 
 LIMIT 1;
