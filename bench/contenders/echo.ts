// The bare minimum: reads and parses the body, and sends the expected response. No authentication.
import { createServer } from 'node:http';
import { LIST_QUERIES, SECURE_QUERY, SIZES, sizedQuery } from './schema.ts';
import { serve } from './serve.ts';

const queries = [SECURE_QUERY, ...SIZES.map(sizedQuery), ...Object.values(LIST_QUERIES)];
const bodies = new Map(queries.map(({ query, response }) => [query, Buffer.from(response)]));

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { query } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const body = bodies.get(query) ?? Buffer.alloc(0);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
});
await serve(server);
