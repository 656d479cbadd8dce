import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';

/** What `global-setup.ts` made ready for every test file. */
export type Harness = {
  /** Everything that tests put on the disk is in here; it goes with the run, however that ends. */
  directory: string;
  /** An embedded database's files, migrated and closed: to be copied. */
  seedDirectory: string;
  /** Our own server's `postgres` database; absent where the machine has no PostgreSQL. */
  postgresUrl: string | undefined;
};

/** The migrated database of our own PostgreSQL server, of which every test's database is a copy. */
export const TEMPLATE_DATABASE = 'migrated';

const VARIABLE = 'PROMPTREPORTS_TEST_HARNESS';

/** Test files run in processes of their own: the environment is what reaches them. */
export function publishHarness(harness: Harness): void {
  process.env[VARIABLE] = JSON.stringify(harness);
}

export function harness(): Harness {
  return JSON.parse(process.env[VARIABLE] as string) as Harness;
}

/** The environment of a program of ours that a test starts: nothing but the path, and where all of them keep compiled code. */
export const programEnv = (): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  NODE_COMPILE_CACHE: path.join(harness().directory, 'compiled'),
});

/** A new folder for one test. */
export const temporaryFolder = (name: string): string =>
  mkdtempSync(path.join(harness().directory, `${name}-`));

/**
 * Has the process ended with the run, also when the run itself is killed and no `afterAll` happens.
 * `forget` when it has exited: its number may be another process's by then.
 */
export function endWithRun(directory: string, pid: number, signal: 'KILL' | 'QUIT'): { forget(): void } {
  const file = path.join(directory, 'processes', String(pid));
  writeFileSync(file, signal);
  return { forget: () => rmSync(file, { force: true }) };
}

/** The same for a child, and a test that fails before it ends its child doesn't keep the run waiting for it. */
export function endChildWithRun(child: ChildProcess): void {
  const registered = endWithRun(harness().directory, child.pid as number, 'KILL');
  child.once('exit', registered.forget);
  child.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.unref();
}
