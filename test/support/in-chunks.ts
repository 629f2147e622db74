// Runs many attempts, a few at a time: on a slow machine, more of them would queue for password hashes and be rejected.

const CHUNK = 5;

export async function inChunks<T>(times: number, attempt: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  while (results.length < times) {
    const size = Math.min(CHUNK, times - results.length);
    const chunk = Array.from({ length: size }, (_, i) => attempt(results.length + i));
    results.push(...(await Promise.all(chunk)));
  }
  return results;
}
