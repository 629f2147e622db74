// What fields need, as the server tells this caller.
import type { AuthClient } from '../../clients/client.ts';
import type { Rule } from '../../guard/rules.ts';
import { createValue, type Value } from '../value.ts';

/** By coordinate, such as `Query.secureData`; what is missing needs nothing, or is not for this caller to know. */
export type RequirementsByField = Readonly<Record<string, readonly Rule[]>>;

export interface Requirements {
  known: Value<RequirementsByField>;
  /** Asks anew, as after signing in; where that fails, nothing is known. */
  load(): Promise<void>;
}

/** @param url the page's */
export function createRequirements(client: AuthClient, url: URL): Requirements {
  const known = createValue<RequirementsByField>({});
  let asked = 0;

  async function ask(): Promise<RequirementsByField> {
    const token = await client.accessToken();
    const response = await fetch(new URL('graphiql/requirements.json', url), {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    });
    return response.ok ? response.json() : {};
  }

  return {
    known,
    async load() {
      asked += 1;
      const mine = asked;
      const answer = await ask().catch(() => ({}));
      // The answer to an earlier question may come later.
      if (mine === asked) known.set(answer);
    },
  };
}
