// Events in the order of their time: a binary heap.

export interface EventQueue {
  add(at: number, run: (at: number) => void): void;
  /** Runs the events, with those that they add, until none is left or the time has come. */
  runUntil(end: number): void;
}

interface Event {
  at: number;
  run: (at: number) => void;
}

export function createEventQueue(): EventQueue {
  const heap: Event[] = [];
  const at = (index: number) => heap[index]?.at ?? Infinity;

  function swap(a: number, b: number): void {
    [heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event]; // both are in the heap
  }

  function take(): Event | undefined {
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    heap[0] = last;
    for (let index = 0; ; ) {
      const child = at(2 * index + 1) <= at(2 * index + 2) ? 2 * index + 1 : 2 * index + 2;
      if (at(child) >= at(index)) return first;
      swap(index, child);
      index = child;
    }
  }

  return {
    add(time, run) {
      let index = heap.push({ at: time, run }) - 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if (at(parent) <= at(index)) return;
        swap(index, parent);
        index = parent;
      }
    },
    runUntil(end) {
      while (at(0) < end) {
        const event = take();
        event?.run(event.at);
      }
    },
  };
}
