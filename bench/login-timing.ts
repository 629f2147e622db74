// Does the time of a refused login tell whether the email has an account? Prints both distributions and their distance.
// Run: npm run login-timing --workspace bench [-- SAMPLES]
import { startTestServer } from '../test/support/test-server.ts';

const LOGIN = `mutation ($email: String!, $password: String!) {
  login(email: $email, password: $password) { tokenType }
}`;
const PASSWORD = 'an honest password of nobody';
const WARM_UP = 20;
/** Fewer for each account than the rate limit admits. */
const TRIES_PER_ACCOUNT = 19;

const samples = Number(process.argv[2] ?? 400);
const server = await startTestServer();
const accounts = Math.ceil((samples + WARM_UP) / TRIES_PER_ACCOUNT);
for (let i = 0; i < accounts; i += 1) {
  await server.bandha.accounts.register(
    { email: `known-${i}@example.com`, password: 'the one and only password' },
    { userAgent: undefined, ipAddress: undefined },
  );
}

const wrongPassword: number[] = [];
const unknownEmail: number[] = [];
for (let i = 0; i < samples + WARM_UP; i += 1) {
  const account = Math.floor(i / TRIES_PER_ACCOUNT);
  const tries = [
    { email: `known-${account}@example.com`, times: wrongPassword },
    { email: `other-${account}@example.com`, times: unknownEmail },
  ];
  // In turn, and in turns of order, so that neither always follows the other.
  for (const { email, times } of i % 2 === 0 ? tries : tries.reverse()) {
    const start = performance.now();
    const { body } = await server.send(LOGIN, { variables: { email, password: PASSWORD } });
    const time = performance.now() - start;
    if (body.errors?.[0]?.extensions?.code !== 'INVALID_CREDENTIALS') throw new Error(JSON.stringify(body));
    if (i >= WARM_UP) times.push(time);
  }
}
await server.close();

const { statistic, critical } = kolmogorovSmirnov(wrongPassword, unknownEmail);
console.log(`${samples} refused logins of each kind, in milliseconds`);
console.log('                 p5     p50     p95');
console.log(`wrong password ${quantiles(wrongPassword)}`);
console.log(`unknown email  ${quantiles(unknownEmail)}`);
console.log(
  `Kolmogorov-Smirnov distance ${statistic.toFixed(3)}; below ${critical.toFixed(3)} the two are one distribution (alpha 0.01)`,
);
console.log(statistic < critical ? 'Indistinguishable.' : 'DISTINGUISHABLE.');
process.exitCode = statistic < critical ? 0 : 1;

function quantiles(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return [0.05, 0.5, 0.95]
    .map((q) => (sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(2).padStart(7))
    .join(' ');
}

/** The largest distance between the two empirical distribution functions, and its bound at alpha = 0.01. */
function kolmogorovSmirnov(a: readonly number[], b: readonly number[]) {
  const share = (times: readonly number[], t: number) =>
    times.filter((time) => time <= t).length / times.length;
  const distances = [...a, ...b].map((t) => Math.abs(share(a, t) - share(b, t)));
  const critical = 1.628 * Math.sqrt((a.length + b.length) / (a.length * b.length));
  return { statistic: Math.max(...distances), critical };
}
