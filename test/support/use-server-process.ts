// A server as its users start it, for all tests of a file.
import { afterAll, beforeAll } from 'vitest';
import { type ServerProcess, serverEnv, startServerProcess, withFolder } from './server-process.ts';

/** Starts it before the first test and stops it after the last; its folder is gone then. */
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
