// The bare minimum: reads and parses the body, answers the bytes that are right. No authentication.
import { createServer } from 'node:http';
import { LIST_QUERIES, SECURE_QUERY, SIZES, sizedQuery } from './schema.ts';
import { serve } from './serve.ts';

const asked = [SECURE_QUERY, ...SIZES.map(sizedQuery), ...Object.values(LIST_QUERIES)];
const answers = new Map(asked.map(({ query, answer }) => [query, Buffer.from(answer)]));

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { query } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const answer = answers.get(query) ?? Buffer.alloc(0);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
    response.end(answer);
  });
});
await serve(server);
