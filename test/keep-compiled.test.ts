import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { temporaryFolder } from './support/harness.ts';

const ROOT = path.resolve(import.meta.dirname, '..');

describe('keeping compiled code', () => {
  /** In a process of its own, which keeps it when it ends. */
  const start = (dataDir: string): { status: number | null; stdout: string } => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '--eval',
        `import { keepCompiled } from './src/keep-compiled.ts'; keepCompiled({ DATA_DIR: ${JSON.stringify(dataDir)} });
         await import('./src/kernel/secret.ts'); console.log('started');`,
      ],
      { cwd: ROOT, encoding: 'utf8', env: { PATH: process.env['PATH'] } },
    );
    return { status, stdout };
  };

  test('is done in a folder that nobody else may write to: what lies there is run', () => {
    const dataDir = path.join(temporaryFolder('compiled'), 'data');
    expect(start(dataDir)).toEqual({ status: 0, stdout: 'started\n' });
    const folder = path.join(dataDir, 'compiled');
    expect([dataDir, folder].map((one) => statSync(one).mode & 0o777)).toEqual([0o700, 0o700]);
    expect(readdirSync(folder)).not.toEqual([]);
  });

  test('is left out where nothing can be written', () => {
    const file = path.join(temporaryFolder('compiled'), 'file');
    writeFileSync(file, '');
    expect(start(file)).toEqual({ status: 0, stdout: 'started\n' });
    expect(existsSync(path.join(file, 'compiled'))).toBe(false);
  });
});
