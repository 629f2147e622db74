// Before anything is timed: each contender gives the right answer, and none to strangers and forgers.
import { deepStrictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { json } from 'node:stream/consumers';
import type { Asked } from '../contenders/schema.ts';
import type { Contender } from './start-contender.ts';

/**
 * @param header that lets the caller in: name, colon, value
 * @returns how many bytes the right answer has, head and body: a slice under load with others is no measurement
 * @throws Error where the answer is another, or somebody gets it who must not
 */
export async function checkAnswers(contender: Contender, asked: Asked, header: string): Promise<number> {
  const good = await send(contender, asked.query, header);
  deepStrictEqual([good.status, good.body], [200, JSON.parse(asked.answer)], contender.title);
  for (const other of contender.refuses ? [undefined, forge(header)] : []) {
    const { status, body } = await send(contender, asked.query, other);
    const isRefused = status === 401 || body.errors?.length > 0;
    if (isRefused && JSON.stringify(body) !== asked.answer) continue;
    throw new Error(`${contender.title} answers ${other ?? 'a stranger'} with ${status}`);
  }
  return good.bytes;
}

async function send({ port }: Contender, query: string, header: string | undefined) {
  const [name = '', value = ''] = header?.split(': ') ?? [];
  const sent = request({
    port,
    host: '127.0.0.1',
    path: '/graphql',
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(name !== '' && { [name]: value }) },
  }).end(JSON.stringify({ query }));
  const [response] = await once(sent, 'response');
  const { socket } = response; // gone after the end
  // biome-ignore lint/suspicious/noExplicitAny: whatever the contender answers
  const body: any = await json(response);
  const bytes: number = socket.bytesRead;
  socket.destroy();
  return { status: response.statusCode, body, bytes };
}

/** With other signatures: the last character but one of each part is another. */
function forge(header: string): string {
  return header.replace(
    /([\w-])([\w-])(?=;|$)/g,
    (_, one: string, last: string) => `${one === 'A' ? 'B' : 'A'}${last}`,
  );
}
