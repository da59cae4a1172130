-- langchain-postgres 0.0.19: PGVector with jsonb metadata.

-- # start: tables are there
-- against: search
SELECT pg_advisory_xact_lock(1573678846307946496);CREATE EXTENSION IF NOT EXISTS vector;
-- bind: ["langchain_pg_collection", "langchain_pg_embedding", "r", "p", "f", "v", "m", "pg_catalog"]
SELECT pg_catalog.pg_class.relname 
FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace 
WHERE pg_catalog.pg_class.relname IN ($1::VARCHAR, $2::VARCHAR) AND pg_catalog.pg_class.relkind = ANY (ARRAY[$3::VARCHAR, $4::VARCHAR, $5::VARCHAR, $6::VARCHAR, $7::VARCHAR]) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != $8::VARCHAR;
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;

-- # similarity_search
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID ORDER BY distance ASC 
 LIMIT $3::INTEGER;

-- # similarity_search_with_score
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID ORDER BY distance ASC 
 LIMIT $3::INTEGER;

-- # similarity_search_with_relevance_scores
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID ORDER BY distance ASC 
 LIMIT $3::INTEGER;

-- # similarity_search_by_vector
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[1.0,0.0,0.0]", "11111111111141118111111111111111", "2"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID ORDER BY distance ASC 
 LIMIT $3::INTEGER;

-- # similarity_search with filter {"topic": "refund"}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.topic == $value", "{\"value\": \"refund\"}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"topic": {"$eq": "refund"}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.topic == $value", "{\"value\": \"refund\"}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"topic": {"$ne": "refund"}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.topic != $value", "{\"value\": \"refund\"}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"page": {"$lt": 5}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.page < $value", "{\"value\": 5}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"page": {"$gte": 15}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.page >= $value", "{\"value\": 15}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"topic": {"$in": ["refund", "privacy"]}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "topic", "refund", "privacy", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND (langchain_pg_embedding.cmetadata ->> $3::TEXT) IN ($4::VARCHAR, $5::VARCHAR) ORDER BY distance ASC 
 LIMIT $6::INTEGER;

-- # similarity_search with filter {"topic": {"$nin": ["refund"]}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "topic", "refund", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND ((langchain_pg_embedding.cmetadata ->> $3::TEXT) NOT IN ($4::VARCHAR)) ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"page": {"$between": [3, 9]}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.page >= $value", "{\"value\": 3}", "$.page <= $value", "{\"value\": 9}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($5 AS JSONPATH), CAST($6::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $7::INTEGER;

-- # similarity_search with filter {"topic": {"$like": "ref%"}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "topic", "ref%", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND langchain_pg_embedding.cmetadata ->> $3::TEXT LIKE $4::VARCHAR ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"topic": {"$ilike": "REF%"}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "topic", "REF%", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND langchain_pg_embedding.cmetadata ->> $3::TEXT ILIKE $4::VARCHAR ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # similarity_search with filter {"missing": {"$exists": false}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "missing", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND NOT jsonb_exists(langchain_pg_embedding.cmetadata, $3::VARCHAR) ORDER BY distance ASC 
 LIMIT $4::INTEGER;

-- # similarity_search with filter {"$and": [{"topic": "refund"}, {"page": {"$gt": 4}}]}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.topic == $value", "{\"value\": \"refund\"}", "$.page > $value", "{\"value\": 4}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) AND jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($5 AS JSONPATH), CAST($6::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $7::INTEGER;

-- # similarity_search with filter {"$or": [{"topic": "refund"}, {"page": 3}]}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.topic == $value", "{\"value\": \"refund\"}", "$.page == $value", "{\"value\": 3}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND (jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) OR jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($5 AS JSONPATH), CAST($6::JSONB AS JSONB))) ORDER BY distance ASC 
 LIMIT $7::INTEGER;

-- # similarity_search with filter {"$not": {"topic": "refund"}}
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "$.topic == $value", "{\"value\": \"refund\"}", "4"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID AND NOT jsonb_path_match(langchain_pg_embedding.cmetadata, CAST($3 AS JSONPATH), CAST($4::JSONB AS JSONB)) ORDER BY distance ASC 
 LIMIT $5::INTEGER;

-- # max_marginal_relevance_search
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "10"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID ORDER BY distance ASC 
 LIMIT $3::INTEGER;

-- # get_by_ids
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["doc-3", "doc-5", "11111111111141118111111111111111"]
SELECT langchain_pg_embedding.id, langchain_pg_embedding.collection_id, langchain_pg_embedding.embedding, langchain_pg_embedding.document, langchain_pg_embedding.cmetadata 
FROM langchain_pg_embedding 
WHERE langchain_pg_embedding.id IN ($1::VARCHAR, $2::VARCHAR) AND langchain_pg_embedding.collection_id = $3::UUID;

-- # add_documents
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["doc-new", "11111111111141118111111111111111", "[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "new", "{\"topic\": \"refund\", \"page\": 1}"]
INSERT INTO langchain_pg_embedding (id, collection_id, embedding, document, cmetadata) VALUES ($1::VARCHAR, $2::UUID, $3, $4::VARCHAR, $5::JSONB) ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding, document = excluded.document, cmetadata = excluded.cmetadata;

-- # add_documents over existing ids
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["doc-3", "11111111111141118111111111111111", "[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "changed", "{\"topic\": \"refund\", \"page\": 1}", "doc-4", "11111111111141118111111111111111", "[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "changed too", "{\"topic\": \"privacy\"}"]
INSERT INTO langchain_pg_embedding (id, collection_id, embedding, document, cmetadata) VALUES ($1::VARCHAR, $2::UUID, $3, $4::VARCHAR, $5::JSONB), ($6::VARCHAR, $7::UUID, $8, $9::VARCHAR, $10::JSONB) ON CONFLICT (id) DO UPDATE SET embedding = excluded.embedding, document = excluded.document, cmetadata = excluded.cmetadata;

-- # delete by ids
-- bind: ["doc-3", "doc-4"]
DELETE FROM langchain_pg_embedding WHERE langchain_pg_embedding.id IN ($1::VARCHAR, $2::VARCHAR);

-- # as a retriever with a threshold
-- against: search
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["[0.20000000298023224,0.8999999761581421,0.10000000149011612]", "11111111111141118111111111111111", "5"]
SELECT langchain_pg_embedding.id AS langchain_pg_embedding_id, langchain_pg_embedding.collection_id AS langchain_pg_embedding_collection_id, langchain_pg_embedding.embedding AS langchain_pg_embedding_embedding, langchain_pg_embedding.document AS langchain_pg_embedding_document, langchain_pg_embedding.cmetadata AS langchain_pg_embedding_cmetadata, langchain_pg_embedding.embedding <=> $1 AS distance 
FROM langchain_pg_embedding JOIN langchain_pg_collection ON langchain_pg_embedding.collection_id = langchain_pg_collection.uuid 
WHERE langchain_pg_embedding.collection_id = $2::UUID ORDER BY distance ASC 
 LIMIT $3::INTEGER;

-- # create_collection again
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;

-- # delete_collection
-- bind: ["handbook", "1"]
SELECT langchain_pg_collection.uuid AS langchain_pg_collection_uuid, langchain_pg_collection.name AS langchain_pg_collection_name, langchain_pg_collection.cmetadata AS langchain_pg_collection_cmetadata 
FROM langchain_pg_collection 
WHERE langchain_pg_collection.name = $1::VARCHAR 
 LIMIT $2::INTEGER;
-- bind: ["11111111111141118111111111111111"]
DELETE FROM langchain_pg_collection WHERE langchain_pg_collection.uuid = $1::UUID;
