import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from '../test/support/free-port.ts';

const ROOT = path.resolve(import.meta.dirname, '..');
const CLOCK_TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const canPin = spawnSync('taskset', ['-c', '0', 'true']).status === 0;

/** How to run a file of ours on one core, where the machine can pin it: a program and its arguments. */
export const pinned = (args: readonly string[], core = 0): [program: string, args: string[]] =>
  canPin
    ? ['taskset', ['-c', String(core), process.execPath, '--disable-warning=ExperimentalWarning', ...args]]
    : [process.execPath, [...args]];

/** A server in a process of its own, on one core where the machine can pin it; the load comes from another. */
export type BenchServer = {
  url: string;
  pid: number;
  /** Milliseconds from its start until it answered. */
  readyMs: number;
  /** Seconds of processor time that it has taken. */
  cpuSeconds(): number;
  /** `ownMb`: what would come free if it ended; `residentMb` has what it shares besides, of which Node's own code is most. */
  memory(): { ownMb: number; residentMb: number };
  stop(): Promise<void>;
};

export async function startBenchServer(
  file: string,
  env: Record<string, string> = {},
  { core = 0 } = {},
): Promise<BenchServer> {
  const port = await freePort();
  const startedMs = performance.now();
  const [program, args] = pinned([file], core);
  const child: ChildProcess = spawn(program, args, {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'],
      HOST: '127.0.0.1',
      API_URL: `http://127.0.0.1:${port}`,
      ...env,
      PORT: String(port),
    },
    stdio: ['ignore', 'ignore', env['SHOW_LOG'] ? 'inherit' : 'ignore'],
  });
  const pid = child.pid as number;
  const url = `http://127.0.0.1:${port}`;
  while (child.exitCode === null) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  if (child.exitCode !== null) throw new Error(`${file} ended at its start`);
  return {
    url,
    pid,
    readyMs: performance.now() - startedMs,
    cpuSeconds: () => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS;
    },
    memory: () => {
      const field = (name: string, file: string): number =>
        Number(
          new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'utf8'))?.[1],
        ) / 1024;
      return {
        ownMb: field('Private_Dirty', 'smaps_rollup') + field('Private_Clean', 'smaps_rollup'),
        residentMb: field('VmRSS', 'status'),
      };
    },
    stop: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
      await ended;
      clearTimeout(force);
    },
  };
}
