// The internal parts of a server, for tests of the fast path.
import { type Bandha, findServerParts } from '../../src/bandha.ts';
import type { ServerParts } from '../../src/http/fast-path/listener.ts';

export function getServerParts(bandha: Bandha): ServerParts {
  const parts = findServerParts(bandha);
  if (parts === undefined) throw new Error('createBandha did not return this object');
  return parts;
}
