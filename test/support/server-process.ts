import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { freshDataDir } from './databases.ts';
import { freePort } from './free-port.ts';
import { endChildWithRun, programEnv } from './harness.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;

/** The service as a process of its own, as an operator runs it. */
export type ServerProcess = {
  /** Both origins, unless the environment sets others. */
  url: string;
  port: number;
  pid: number;
  dataDir: string;
  /** What it has printed so far. */
  stdout(): string;
  stderr(): string;
  /** SIGTERM, and SIGKILL if it is still there fifteen seconds later. The exit code; null when it had to be killed. */
  stop(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** Resolves with the exit code when it ends by itself. */
  exited: Promise<number | null>;
};

/**
 * Starts `src/server.ts` and waits until it says that it is ready. Nothing of the environment around the test gets in
 * but PATH; without `DATA_DIR` in `env` it has a folder of its own, with an empty, migrated embedded database.
 */
export async function startServer(env: Record<string, string> = {}): Promise<ServerProcess> {
  const server = await spawnServer(env);
  const deadline = Date.now() + READY_WITHIN_MS;
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  while (!ended && Date.now() < deadline) {
    if (await serverIsReady(server.port)) return server;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await server.kill();
  const what = ended ? 'ended before it was ready' : `was not ready within ${READY_WITHIN_MS} ms`;
  throw new Error(`The server ${what}:\n${server.stdout()}${server.stderr()}`);
}

/** Another process for the origin of `server`, as behind a load balancer; test/support/node-request.ts asks either. */
export const startSecondNode = async ({
  env,
  server,
}: {
  env: Record<string, string>;
  server: Pick<ServerProcess, 'url'>;
}): Promise<ServerProcess> => startServer({ ...env, API_URL: server.url, PORT: String(await freePort()) });

/** Starts it and doesn't wait: for tests of a start that must fail. */
export async function spawnServer(env: Record<string, string> = {}): Promise<ServerProcess> {
  const port = Number(env['PORT'] ?? (await freePort()));
  const dataDir = env['DATA_DIR'] ?? freshDataDir().dataDir;
  // The flag halves the time that the embedded database takes to open, and changes nothing else (see jest.config.js).
  const child = spawn(process.execPath, ['--liftoff-only', 'src/server.ts'], {
    cwd: ROOT,
    env: {
      ...programEnv(),
      HOST: '127.0.0.1',
      API_URL: `http://localhost:${port}`,
      ...env,
      PORT: String(port),
      DATA_DIR: dataDir,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const pid = child.pid as number;
  endChildWithRun(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = once(child, 'close').then(([code]) => code as number | null);

  return {
    url: env['API_URL'] ?? `http://localhost:${port}`,
    port,
    pid,
    dataDir,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS);
      const code = await exited;
      clearTimeout(timer);
      return code;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** What its `/readyz` says. */
export async function serverIsReady(port: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
