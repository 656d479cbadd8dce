import { execFileSync, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { freePort } from './free-port.ts';
import { endWithRun } from './harness.ts';
import { postgresBinaries } from './services.ts';

/** A PostgreSQL server of our own, on its own port, with its own files. */
export type PostgresServer = {
  url(database: string): string;
  /** Ends it at once, as a crash would; what was committed stays for `start`. */
  kill(): Promise<void>;
  start(): void;
  /** Every process of it stands still: connections stay open, nothing answers. */
  freeze(): void;
  thaw(): void;
};

/**
 * `runDirectory`: the run's folder, `harness().directory`. The server ends with the run if nobody ends it before.
 * `durable`: it waits for the disk, as in production; tests needn't.
 */
export async function startPostgres(
  runDirectory: string,
  name = 'postgres',
  { durable = false } = {},
): Promise<PostgresServer> {
  const binaries = postgresBinaries();
  if (binaries === undefined) throw new Error('PostgreSQL is not installed');
  const owner = serverUser();
  const home = path.join(runDirectory, name);
  const data = path.join(home, 'data');
  const sockets = path.join(home, 'sockets');
  for (const folder of [home, data, sockets]) {
    mkdirSync(folder, { mode: 0o700 });
    if (owner) chownSync(folder, owner.uid, owner.gid);
  }
  const port = await freePort();

  const run = (program: string, ...args: string[]): void => {
    const log = openSync(path.join(runDirectory, `${name}.log`), 'a');
    const { status } = spawnSync(path.join(binaries, program), args, {
      ...owner,
      cwd: home,
      stdio: ['ignore', log, log], // a pipe would stay open as long as the server
    });
    if (status === 0) return;
    throw new Error(`${program} failed:\n${readFileSync(path.join(runDirectory, `${name}.log`), 'utf8')}`);
  };
  const options = [
    ...(durable ? [] : ['fsync=off', 'full_page_writes=off']),
    'max_connections=200',
    `port=${port}`,
  ]
    .concat('listen_addresses=127.0.0.1', `unix_socket_directories=${sockets}`)
    .map((option) => `-c ${option}`)
    .join(' ');
  const mainProcess = (): number =>
    Number(readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const signalAll = (signal: NodeJS.Signals): void => {
    const main = mainProcess();
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(main)], { encoding: 'utf8' });
    for (const pid of [main, ...children.trim().split(/\s+/).map(Number)]) process.kill(pid, signal);
  };
  let registered: { forget(): void } | undefined;
  const start = (): void => {
    run('pg_ctl', '-D', data, '-w', '-t', '30', '-o', options, 'start');
    registered = endWithRun(runDirectory, mainProcess(), 'QUIT');
  };

  run('initdb', '-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C.UTF-8');
  start();
  return {
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    start,
    kill: async () => {
      const pid = mainProcess();
      process.kill(pid, 'SIGQUIT');
      await untilGone(pid);
      registered?.forget();
    },
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
  };
}

/** PostgreSQL refuses to run as root: then its own user runs it, or one that owns nothing. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string, user: string): number => {
    const { status, stdout } = spawnSync('id', [flag, user], { encoding: 'utf8' });
    return status === 0 ? Number(stdout) : Number.NaN;
  };
  const user = Number.isNaN(id('-u', 'postgres')) ? 'nobody' : 'postgres';
  return { uid: id('-u', user), gid: id('-g', user) };
}

async function untilGone(pid: number): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
    if (stdout === '' || stdout.startsWith('Z')) return; // gone, or only waiting to be reaped
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`process ${pid} did not end`);
}
