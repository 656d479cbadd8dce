import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, statSync, utimesSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Database, openDatabase } from '../../adapters/database/database.ts';
import { DirectoryInUseError, lockDirectory } from '../../adapters/database/directory-lock.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { freshDataDir } from '../support/databases.ts';
import { endChildWithRun, temporaryFolder } from '../support/harness.ts';

describe('the embedded database', () => {
  let folder: ReturnType<typeof freshDataDir>;
  beforeEach(() => {
    folder = freshDataDir();
  });
  afterEach(() => folder.remove());

  const open = (): Promise<Database> =>
    openDatabase({
      databaseUrl: undefined,
      poolSize: 1,
      dataDir: folder.dataDir,
      logger: createLogger('warn'),
    });

  /** Another process that has the folder open. `lines`: what it has said so far. */
  const holder = async (mode: 'idle' | 'write'): Promise<{ kill(): Promise<void>; lines: string[] }> => {
    const script = path.join(import.meta.dirname, '../support/database-holder.ts');
    const child: ChildProcess = spawn(process.execPath, ['--liftoff-only', script, folder.dataDir, mode], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    endChildWithRun(child);
    const exited = once(child, 'close');
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    while (!output.includes(mode === 'write' ? '\n20\n' : 'open\n') && child.exitCode === null) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return {
      get lines() {
        return output.split('\n').slice(0, -1); // the last one may be cut off
      },
      kill: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
  };

  test('keeps what was written when it is closed and opened again', async () => {
    const first = await open();
    await first.sql().raw("INSERT INTO organizations (id, name) VALUES ('org_1', 'Kept')");
    await first.close();
    const second = await open();
    expect(await second.sql()('organizations').pluck('name')).toEqual(['Kept']);
    await second.close();
  });

  test('refuses a second process, in words that name the folder and the way out', async () => {
    const other = await holder('idle');
    const second = open();
    await expect(second).rejects.toThrow(DirectoryInUseError);
    await expect(second).rejects.toThrow(folder.dataDir);
    await expect(second).rejects.toThrow('set DATABASE_URL');
    await other.kill();
  });

  test('refuses a second opener in the same process, and goes on refusing', async () => {
    const first = await open();
    await expect(open()).rejects.toThrow(DirectoryInUseError);
    await expect(open()).rejects.toThrow(DirectoryInUseError);
    await expect(first.ping()).resolves.toBeUndefined();
    await first.close();
  });

  test('loses no acknowledged row to a kill -9 in the middle of writing, and opens at once afterwards', async () => {
    const other = await holder('write');
    await other.kill();
    const acknowledged = other.lines.slice(1).map(Number);
    expect(acknowledged.length).toBeGreaterThanOrEqual(20);

    const database = await open();
    const kept: number[] = await database.sql()('acknowledged').orderBy('number').pluck('number');
    expect(kept.slice(0, acknowledged.length)).toEqual(acknowledged);
    await database.close();
  });
});

describe('the lock of a folder', () => {
  test('makes the folder, for its owner alone', async () => {
    const folder = path.join(temporaryFolder('lock'), 'new');
    const lock = await lockDirectory(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    await lock.release();
  });

  test('is free again once it is released', async () => {
    const folder = temporaryFolder('lock');
    await (await lockDirectory(folder)).release();
    const second = await lockDirectory(folder);
    await expect(lockDirectory(folder)).rejects.toThrow(DirectoryInUseError);
    await second.release();
  });

  test('goes to exactly one of ten that ask at once', async () => {
    const folder = temporaryFolder('lock');
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockDirectory(folder)));
    const held = results.filter((result) => result.status === 'fulfilled');
    expect(held).toHaveLength(1);
    await held[0]?.value.release();
  });

  test('goes to exactly one of ten also when a killed process has left its file behind', async () => {
    const folder = temporaryFolder('lock');
    await leaveStaleSocket(path.join(folder, 'lock.sock'));
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => lockDirectory(folder)));
    const held = results.filter((result) => result.status === 'fulfilled');
    expect(held).toHaveLength(1);
    await expect(lockDirectory(folder)).rejects.toThrow(DirectoryInUseError);
    await held[0]?.value.release();
  });

  test('is not barred for good by a process that was killed while it took over', async () => {
    const folder = temporaryFolder('lock');
    await leaveStaleSocket(path.join(folder, 'lock.sock'));
    await leaveStaleSocket(path.join(folder, 'takeover.sock'));
    await expect(lockDirectory(folder)).rejects.toThrow(DirectoryInUseError);
    const anHourAgo = Date.now() / 1000 - 3600;
    utimesSync(path.join(folder, 'takeover.sock'), anHourAgo, anHourAgo);
    await expect(lockDirectory(folder)).rejects.toThrow(DirectoryInUseError); // clears the way
    await (await lockDirectory(folder)).release();
  });
});

/** The file that a process leaves which listened there and was killed: nothing answers on it. */
async function leaveStaleSocket(file: string): Promise<void> {
  const server = createServer().listen(`${file}.new`);
  await once(server, 'listening');
  linkSync(`${file}.new`, file);
  server.close();
  await once(server, 'close');
}
