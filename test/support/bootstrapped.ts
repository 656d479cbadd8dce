import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import { programEnv } from './harness.ts';

const AMPLE = [
  '--plan',
  'enterprise',
  '--per-second',
  '100000',
  '--per-minute',
  '1000000',
  '--per-day',
  '9000000',
];

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * Runs `promptreports-auth bootstrap --json` as an operator would; the database must not be open elsewhere if embedded.
 * Limits that no test reaches by the way, unless `options` names another.
 */
export async function bootstrapDatabase(
  env: Record<string, string>,
  ...options: string[]
): Promise<Bootstrapped> {
  const plan = options.includes('--plan') ? [] : AMPLE;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--liftoff-only', 'src/cli.ts', 'bootstrap', '--json', ...plan, ...options],
    {
      cwd: ROOT,
      env: { ...programEnv(), ...env },
    },
  );
  return JSON.parse(stdout) as Bootstrapped;
}
