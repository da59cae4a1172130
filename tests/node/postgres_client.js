// npm postgres through the gateway; prints what it saw as one JSON object. Connection: PG* variables, CA_FILE, NODE_PATH.
'use strict';
const fs = require('node:fs');
const { Readable } = require('node:stream');
const { pipeline } = require('node:stream/promises');
const postgres = require('postgres');

const ssl = { ca: fs.readFileSync(process.env.CA_FILE), servername: 'localhost' };

async function main() {
  const seen = {};
  const sql = postgres({ ssl, max: 1, onnotice: () => {} });

  seen.simple = [...(await sql`SELECT id, title FROM docs WHERE id = 1`)];
  seen.parameters = [...(await sql`SELECT id FROM docs WHERE title = ${'Title 9'}`)];
  seen.prepared = [];
  for (const id of [1, 2, 3]) seen.prepared.push((await sql`SELECT id FROM docs WHERE id = ${id}`)[0].id);
  const vector = JSON.stringify([7, 0, 7, 1]);
  const near = await sql`SELECT id, embedding::text FROM docs ORDER BY embedding <-> ${vector} LIMIT 3`;
  seen.nearest = near[0].id;
  seen.vector = JSON.parse(near[0].embedding);
  const many = await Promise.all(Array.from({ length: 50 }, (_, n) => sql`SELECT ${n}::int AS n`));
  seen.pipeline = many.map((reply) => reply[0].n);

  await sql
    .begin(async (inner) => {
      await inner`INSERT INTO notes ${inner({ id: 2600, doc: 1, text: 'node' })}`;
      throw new Error('roll back');
    })
    .catch(() => {});
  seen.transaction = (await sql`SELECT id FROM notes WHERE id = 2600`).count;

  seen.cursor = 0;
  await sql`SELECT id FROM events`.cursor(777, (rows) => {
    seen.cursor += rows.length;
  });

  seen.error = await sql`INSERT INTO docs (id, tenant, title) VALUES (1, 't', 't')`.catch((e) => e.code);
  seen.refused = await sql`SELECT pg_sleep(1)`.catch((e) => e.code);
  seen.after = (await sql`SELECT 1 AS n`)[0].n;

  const into = await sql`COPY notes FROM STDIN`.writable();
  await pipeline(Readable.from(['2700\t1\tx\n', '2701\t1\ty\n']), into);
  seen.copy_in = (await sql`DELETE FROM notes WHERE id IN (2700, 2701)`).count;
  const out = await sql`COPY (SELECT id FROM docs ORDER BY id LIMIT 3) TO STDOUT`.readable();
  seen.copy_out = '';
  for await (const part of out) seen.copy_out += part.toString();

  let heard;
  const note = new Promise((resolve) => (heard = resolve));
  await sql.listen('news', heard);
  await sql.notify('news', 'hello');
  seen.notification = await note;
  await sql.end({ timeout: 10 });

  const pool = postgres({ ssl, max: 4 });
  const replies = await Promise.all(Array.from({ length: 20 }, (_, n) => pool`SELECT ${n}::int AS n`));
  seen.pool = replies.filter((reply, n) => reply[0].n === n).length;
  await pool.end({ timeout: 10 });

  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
