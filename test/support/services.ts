import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What some tests need of the machine, and how to get it. */
export const SERVICES = {
  postgresql: { title: 'PostgreSQL', install: 'apt-get install postgresql' },
  redis: { title: 'Redis', install: 'apt-get install redis-server' },
  chromium: { title: 'Chromium', install: 'apt-get install chromium' },
  mount: { title: 'a disk of its own', install: 'run them as root, who may mount one' },
} as const;

export type Service = keyof typeof SERVICES;

/** The folder of PostgreSQL's programs (`initdb`, `pg_ctl`), the newest where there are several. */
export function postgresBinaries(): string | undefined {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => path.join(debian, version, 'bin')), ...pathFolders()];
  return folders.find(
    (folder) => isProgram(path.join(folder, 'initdb')) && isProgram(path.join(folder, 'pg_ctl')),
  );
}

export const redisBinary = (): string | undefined => findProgram('redis-server');

export const chromiumBinary = (): string | undefined =>
  process.env['CHROMIUM_PATH'] || findProgram('chromium', 'chromium-browser', 'google-chrome');

const FIND: Record<Service, () => string | undefined> = {
  postgresql: postgresBinaries,
  redis: redisBinary,
  chromium: chromiumBinary,
  mount: mountProgram,
};

/** Mounts a small disk in memory. False where that is not allowed. */
export const mountDisk = (folder: string): boolean =>
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=120m', 'tmpfs', folder], { stdio: 'ignore' }).status === 0;

export const unmountDisk = (folder: string): void => void spawnSync('umount', ['-l', folder]);

/** Whether it may be used shows only when it is: a root of a container may not. */
function mountProgram(): string | undefined {
  const folder = mkdtempSync(path.join(tmpdir(), 'promptreports-mount-'));
  const isAllowed = mountDisk(folder);
  if (isAllowed) unmountDisk(folder);
  rmdirSync(folder);
  return isAllowed ? 'mount' : undefined;
}

export const isAvailable = (service: Service): boolean => FIND[service]() !== undefined;

/** How a suite that is left out is marked in its title: the reporter counts by it. */
export const leftOutMark = (service: Service): string => `(needs ${SERVICES[service].title})`;

/** With REQUIRE_ALL=1 (as in CI) a test that can't run for want of a service fails. */
export const requireAll = (): boolean => process.env['REQUIRE_ALL'] === '1';

function findProgram(...names: string[]): string | undefined {
  return names.flatMap((name) => pathFolders().map((folder) => path.join(folder, name))).find(isProgram);
}

function pathFolders(): string[] {
  return [
    ...(process.env['PATH'] ?? '').split(path.delimiter),
    '/usr/bin',
    '/usr/sbin',
    '/usr/local/bin',
  ].filter(Boolean);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
