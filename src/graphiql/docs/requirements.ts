// What fields need, as the server tells this caller.

import type { Rule } from '../../authorization/directives.ts';
import type { AuthClient } from '../../client/index.ts';
import { createValue, type Value } from '../value.ts';

/** By coordinate, such as `Query.secureData`; what is missing needs nothing, or is not for this caller to know. */
export type RequirementsByField = Readonly<Record<string, readonly Rule[]>>;

export interface Requirements {
  known: Value<RequirementsByField>;
  /** Whether the last request failed; then nothing is known. */
  hasFailed: Value<boolean>;
  /** Requests them again, such as after signing in. Never rejects. */
  load(): Promise<void>;
}

/** @param url the page's */
export function createRequirements(client: AuthClient, url: URL): Requirements {
  const known = createValue<RequirementsByField>({});
  const hasFailed = createValue(false);
  let asked = 0;

  async function ask(): Promise<RequirementsByField> {
    const token = await client.accessToken();
    const response = await fetch(new URL('graphiql/requirements.json', url), {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`Status ${response.status}`);
    return response.json();
  }

  return {
    known,
    hasFailed,
    async load() {
      asked += 1;
      const mine = asked;
      const found = await ask().catch(() => undefined);
      if (mine !== asked) return; // a later request has been sent, whose answer may be here already
      known.set(found ?? {});
      hasFailed.set(found === undefined);
    },
  };
}
