// Loads the requirements of fields that this caller may see.
import type { Rule } from '../../authorization/requirement.ts';
import type { AuthClient } from '../../client/index.ts';
import { createValue, type Value } from '../value.ts';

/** Requirements by coordinate, such as `Query.secureData`. A missing field is public or not visible to this caller. */
export type RequirementsByField = Readonly<Record<string, readonly Rule[]>>;

export interface Requirements {
  /** Empty until loaded, and after a failed request. */
  byField: Value<RequirementsByField>;
  /** Whether the latest request failed. */
  hasFailed: Value<boolean>;
  /** Loads the requirements, for example after signing in. Never rejects. */
  load(): Promise<void>;
}

/** @param url of the page */
export function createRequirements(client: AuthClient, url: URL): Requirements {
  const byField = createValue<RequirementsByField>({});
  const hasFailed = createValue(false);
  let latestRequest = 0;

  async function fetchRequirements(): Promise<RequirementsByField> {
    const token = await client.accessToken();
    const response = await fetch(new URL('graphiql/requirements.json', url), {
      headers: token === null ? {} : { authorization: `Bearer ${token}` },
    });
    if (!response.ok) throw new Error(`Status ${response.status}`);
    return response.json();
  }

  return {
    byField,
    hasFailed,
    async load() {
      latestRequest += 1;
      const requestId = latestRequest;
      const found = await fetchRequirements().catch(() => undefined);
      if (requestId !== latestRequest) return; // a later request was sent; its response may have arrived already
      byField.set(found ?? {});
      hasFailed.set(found === undefined);
    },
  };
}
