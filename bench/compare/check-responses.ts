// Checks each contender before anything is timed: the expected response with a valid token, and none without one.
import { deepStrictEqual } from 'node:assert/strict';
import { Agent } from 'node:http';
import type { ExpectedQuery } from '../contenders/schema.ts';
import { JSON_TYPE, send } from '../support/http.ts';
import type { Contender } from './start-contender.ts';

/**
 * @param header with a valid credential: name, colon, value
 * @returns bytes of the expected response, head and body, which slices under load are compared with
 * @throws Error if the response is another, or if it is sent without a valid credential
 */
export async function checkResponses(
  contender: Contender,
  { query, response }: ExpectedQuery,
  header: string,
): Promise<number> {
  const valid = await post(contender, query, header);
  deepStrictEqual([valid.status, JSON.parse(valid.text)], [200, JSON.parse(response)], contender.title);
  for (const invalid of contender.checksTokens ? ['', forge(header)] : []) {
    const { status, text } = await post(contender, query, invalid);
    const body = JSON.parse(text);
    const isRejected = status === 401 || body.errors?.length > 0;
    if (isRejected && JSON.stringify(body) !== response) continue;
    throw new Error(`${contender.title} has status ${status} with the header "${invalid}"`);
  }
  return valid.connectionBytes;
}

/**
 * @param header empty to send none
 * @returns bytes of the response, head and body
 * @throws Error unless the status is `status`
 */
export async function measureResponse(
  contender: Contender,
  query: string,
  header: string,
  status: number,
): Promise<number> {
  const response = await post(contender, query, header);
  if (response.status !== status) throw new Error(`${query} has status ${response.status}: ${response.text}`);
  return response.connectionBytes;
}

async function post({ port }: Contender, query: string, header: string) {
  const agent = new Agent({ keepAlive: true });
  const [name = '', value = ''] = header.split(': ');
  const headers = { ...JSON_TYPE, ...(name !== '' && { [name]: value }) };
  const response = await send(`http://127.0.0.1:${port}/graphql`, {
    agent,
    headers,
    body: JSON.stringify({ query }),
  });
  agent.destroy();
  return response;
}

/** Replaces the last character but one of each part: signatures become invalid. */
function forge(header: string): string {
  return header.replace(
    /([\w-])([\w-])(?=;|$)/g,
    (_, one: string, last: string) => `${one === 'A' ? 'B' : 'A'}${last}`,
  );
}
