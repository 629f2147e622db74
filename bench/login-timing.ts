// Does the time of a rejected sign-in show whether the email has an account? Prints both distributions and their distance.
// Run: npm run login-timing --workspace bench [-- SAMPLES]   Exits with 1 if the distributions differ.
import { startTestServer } from '../test/support/test-server.ts';
import { alternate } from './support/rounds.ts';
import { quantile } from './support/statistics.ts';

const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { tokenType }
}`;
const PASSWORD = 'a password of no account';
const WARM_UP = 20;
/** Fewer than the rate limit of an account admits. */
const ATTEMPTS_PER_ACCOUNT = 19;

const samples = Number(process.argv[2] ?? 400);
const server = await startTestServer();
const accounts = Math.ceil((samples + WARM_UP) / ATTEMPTS_PER_ACCOUNT);
for (let i = 0; i < accounts; i += 1) {
  await server.bandha.accounts.register(
    { email: `known-${i}@example.com`, password: 'the one and only password' },
    { userAgent: undefined, ipAddress: undefined },
  );
}

const wrongPassword: number[] = [];
const unknownEmail: number[] = [];
const attempts = [
  { name: 'known', times: wrongPassword },
  { name: 'other', times: unknownEmail },
];
for (const [{ name, times }, round] of alternate(attempts, { rounds: samples, warmUpRounds: WARM_UP })) {
  const email = `${name}-${Math.floor((round + WARM_UP) / ATTEMPTS_PER_ACCOUNT)}@example.com`;
  const startedAt = performance.now();
  const { body } = await server.send(LOGIN, { variables: { email, password: PASSWORD } });
  const ms = performance.now() - startedAt;
  if (body.errors?.[0]?.extensions?.code !== 'INVALID_CREDENTIALS') throw new Error(JSON.stringify(body));
  if (round >= 0) times.push(ms);
}
await server.close();

const { distance, critical } = kolmogorovSmirnov(wrongPassword, unknownEmail);
console.log(`${samples} rejected sign-ins of each kind, in milliseconds`);
console.log('                 p5     p50     p95');
console.log(`wrong password ${formatQuantiles(wrongPassword)}`);
console.log(`unknown email  ${formatQuantiles(unknownEmail)}`);
console.log(
  `Kolmogorov-Smirnov distance ${distance.toFixed(3)}; critical value ${critical.toFixed(3)} (alpha 0.01)`,
);
console.log(distance < critical ? 'Indistinguishable.' : 'DISTINGUISHABLE.');
process.exitCode = distance < critical ? 0 : 1;

function formatQuantiles(times: readonly number[]): string {
  return [0.05, 0.5, 0.95].map((share) => quantile(times, share).toFixed(2).padStart(7)).join(' ');
}

/** The largest distance between the two empirical distribution functions, and its critical value at alpha = 0.01. */
function kolmogorovSmirnov(a: readonly number[], b: readonly number[]) {
  const share = (times: readonly number[], t: number) =>
    times.filter((time) => time <= t).length / times.length;
  const distances = [...a, ...b].map((t) => Math.abs(share(a, t) - share(b, t)));
  const critical = 1.628 * Math.sqrt((a.length + b.length) / (a.length * b.length));
  return { distance: Math.max(...distances), critical };
}
