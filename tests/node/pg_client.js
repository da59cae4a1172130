// npm pg through the gateway; prints what it saw as one JSON object. Connection: PG* variables, CA_FILE, NODE_PATH.
'use strict';
const fs = require('node:fs');
const { Client, Pool } = require('pg');
const pgvector = require('pgvector/pg');

const ssl = { ca: fs.readFileSync(process.env.CA_FILE), servername: 'localhost' };

async function main() {
  const seen = {};
  const client = new Client({ ssl });
  await client.connect();
  await pgvector.registerTypes(client);

  seen.simple = (await client.query('SELECT id, title FROM docs WHERE id = 1')).rows;
  seen.parameters = (await client.query('SELECT id FROM docs WHERE title = $1', ['Title 9'])).rows;
  seen.prepared = [];
  for (const id of [1, 2, 3]) {
    const reply = await client.query({ name: 'by-id', text: 'SELECT id FROM docs WHERE id = $1', values: [id] });
    seen.prepared.push(reply.rows[0].id);
  }
  const near = await client.query('SELECT id, embedding FROM docs ORDER BY embedding <-> $1 LIMIT 3', [
    pgvector.toSql([7, 0, 7, 1]),
  ]);
  seen.nearest = near.rows[0].id;
  seen.vector = near.rows[0].embedding;
  const typed = await client.query(
    `SELECT 42 AS n, '{"a": [1]}'::jsonb AS j, true AS b, to_char(date '2026-01-02', 'YYYY-MM-DD') AS d`);
  seen.types = typed.rows[0];
  seen.many = (await client.query('SELECT 1 AS n; SELECT 2 AS n')).map((reply) => reply.rows[0].n);

  await client.query('BEGIN');
  await client.query("INSERT INTO notes VALUES (2500, 1, 'node')");
  await client.query('ROLLBACK');
  seen.transaction = (await client.query('SELECT id FROM notes WHERE id = 2500')).rowCount;

  await client.query('BEGIN');
  await client.query('DECLARE c CURSOR FOR SELECT id FROM events');
  seen.cursor = 0;
  for (;;) {
    const part = await client.query('FETCH 777 FROM c');
    if (part.rowCount === 0) break;
    seen.cursor += part.rowCount;
  }
  await client.query('COMMIT');

  seen.error = await client.query("INSERT INTO docs (id, tenant, title) VALUES (1, 't', 't')").catch((e) => e.code);
  seen.refused = await client.query('SELECT pg_sleep($1)', [1]).catch((e) => e.code);
  seen.after = (await client.query('SELECT 1 AS n')).rows[0].n;

  const heard = new Promise((resolve) => client.once('notification', (note) => resolve(note.payload)));
  await client.query('LISTEN news');
  await client.query("NOTIFY news, 'hello'");
  seen.notification = await heard;
  await client.end();

  const pool = new Pool({ ssl, max: 4 });
  const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.query('SELECT $1::int AS n', [n])));
  seen.pool = replies.filter((reply, n) => reply.rows[0].n === n).length;
  await pool.end();

  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
