// One server process for all tests of a file.
import { afterAll, beforeAll } from 'vitest';
import { type ServerProcess, serverEnv, startServerProcess, withFolder } from './server-process.ts';

/** Starts the server before the first test; stops it and removes its folder after the last. */
export function useServerProcess(env: Record<string, string> = {}): () => ServerProcess {
  let server: ServerProcess | undefined;
  let finished: Promise<void>;
  const done = Promise.withResolvers<void>();
  beforeAll(async () => {
    const started = Promise.withResolvers<void>();
    finished = withFolder(async (folder) => {
      server = await startServerProcess(serverEnv(folder, env), folder);
      started.resolve();
      await done.promise;
      await server.stop();
    });
    await Promise.race([started.promise, finished]);
  });
  afterAll(async () => {
    done.resolve();
    await finished;
  });
  return () => {
    if (server === undefined) throw new Error('The server has not been started');
    return server;
  };
}
