// Measures the heap of this process after a full garbage collection.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Bytes that are still referenced. */
export async function heapBytes(): Promise<number> {
  // WeakRefs and promises that have just settled retain their values until the next turn of the event loop.
  for (let i = 0; i < 3; i += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Bytes that `count` values of `make` retain together, divided by `count`. */
export async function retainedBytes(count: number, make: (index: number) => unknown): Promise<number> {
  const before = await heapBytes();
  const values = Array.from({ length: count }, (_, index) => make(index));
  const after = await heapBytes();
  return values.length === count ? (after - before) / count : Number.NaN; // this read keeps the values alive
}
