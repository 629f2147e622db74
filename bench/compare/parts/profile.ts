// Where the time of a protected query goes, side by side.

import type { Profile } from '../../contenders/profile.ts';
import { SECURE_QUERY } from '../../contenders/schema.ts';
import { median } from '../../support/statistics.ts';
import { formatTable } from '../../support/table.ts';
import { checkAnswers } from '../check-answers.ts';
import { kindsOf } from '../contenders.ts';
import { makeRealm } from '../realm.ts';
import { makeHeaders, writeRequests } from '../requests.ts';
import type { Part } from '../setup.ts';
import { assertAnswers } from '../slices.ts';
import { startContender, withContenders } from '../start-contender.ts';

const CONNECTIONS = 50;
const WARM_UP_SECONDS = 3;
const SECONDS = 3;

interface Sample {
  profile: Profile;
  cpuMicros: number;
}

export const measureProfile: Part = async (setup) => {
  const { cores, folder, generator, rounds, note } = setup;
  const realm = await makeRealm(folder);
  return withContenders(
    kindsOf('echo', 'bandha', 'mercurius'),
    (kind) => startContender(kind, realm.settings, cores),
    async (contenders) => {
      const samples = contenders.map((): Sample[] => []);
      for (let round = 0; round < rounds; round += 1) {
        note(`round ${round + 1} of ${rounds}`);
        for (const [i, contender] of contenders.entries()) {
          const [header = ''] = await makeHeaders(contender, realm, 1);
          const answerBytes = await checkAnswers(contender, SECURE_QUERY, header);
          const file = await writeRequests(folder, [header], [{ query: SECURE_QUERY.query }]);
          const fire = (seconds: number) =>
            generator.fire({ port: contender.port, connections: CONNECTIONS, seconds, file, first: 0 });
          await fire(WARM_UP_SECONDS);
          const before = await contender.settle();
          const firing = fire(SECONDS);
          const profile = await contender.ask<Profile>({ kind: 'profile', seconds: SECONDS });
          assertAnswers({ contender, connections: CONNECTIONS, answerBytes }, await firing);
          const after = await contender.settle();
          const cpuMicros = (after.cpuMicros - before.cpuMicros) / (after.requests - before.requests);
          samples[i]?.push({ profile, cpuMicros });
        }
      }
      const kinds = Object.keys(samples[0]?.[0]?.profile ?? {});
      const microsOf = (of: readonly Sample[], kind: string) =>
        median(of.map(({ profile, cpuMicros }) => (profile[kind] ?? 0) * cpuMicros));
      const rows = kinds.map((kind) => [kind, ...samples.map((of) => microsOf(of, kind))]);
      const all = samples.map((of) => median(of.map(({ cpuMicros }) => cpuMicros)));
      const columns = contenders.map(({ title }) => title);
      return {
        markdown: formatTable('CPU time a request, µs, profiled', columns, [...rows, ['all', ...all]]),
      };
    },
  );
};
