import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { freePort } from './free-port.ts';
import { endChildWithRun, temporaryFolder } from './harness.ts';
import { redisBinary } from './services.ts';

/** A Redis of our own, on a free port, that keeps nothing on the disk. */
export type RedisServer = {
  url: string;
  /** SIGTERM, and waits for the end. */
  stop(): Promise<void>;
  /** SIGKILL: connections are reset. */
  kill(): Promise<void>;
  /** After `stop` or `kill`: empty again, on the same port. */
  start(): Promise<void>;
  /** Connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
};

/** `options`: further arguments of redis-server, such as `--maxmemory 2mb`. */
export async function startRedis(...options: string[]): Promise<RedisServer> {
  const binary = redisBinary();
  if (binary === undefined) throw new Error('Redis is not installed');
  const port = await freePort();
  let child: ChildProcess;

  const start = async (): Promise<void> => {
    child = spawn(
      binary,
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...options],
      { cwd: temporaryFolder('redis'), stdio: 'ignore' },
    );
    endChildWithRun(child);
    await untilListening(port, () => child.exitCode === null);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.ref(); // else a process with nothing else to do would not wait for it
    const exited = once(child, 'exit');
    child.kill('SIGCONT');
    child.kill(signal);
    await exited;
  };

  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
  };
}

async function untilListening(port: number, isAlive: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && isAlive(); tries++) {
    const socket = connect(port, '127.0.0.1');
    const listening = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (listening) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`Redis did not come up on port ${port}`);
}
