import { mkdirSync, rmSync, statSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

const TAKEOVER_MS = 10_000;

/** Says in words what to do when another process has the embedded database open. */
export class DirectoryInUseError extends Error {
  override readonly name = 'DirectoryInUseError';

  constructor(directory: string) {
    super(
      `Another process has the embedded database in ${directory} open. Stop it first, choose another DATA_DIR, ` +
        'or set DATABASE_URL: PostgreSQL serves any number of processes.',
    );
  }
}

/** Kernels keep a socket's address in 104 to 108 bytes. */
const LONGEST_SOCKET_PATH = 100;

/**
 * Holds `directory` for this process by listening on a unix socket in it. The kernel ends the listening with
 * the process, also by kill -9, so a lock never outlives its holder; a file with a process id would.
 * Two embedded databases on one directory lose acknowledged rows.
 */
export async function lockDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const lock = socketPath(directory, 'lock.sock');
  const server = (await listen(lock)) ?? (await takeOver(lock, socketPath(directory, 'takeover.sock')));
  if (!server) throw new DirectoryInUseError(directory);
  server.unref();
  return { release: () => close(server) };
}

/**
 * A process that was killed leaves its socket's file. Of two that find it, the slower would remove the file that the
 * faster has just put in its place, and both would hold the folder: so only who holds a second lock may remove it.
 */
async function takeOver(lock: string, takeover: string): Promise<Server | undefined> {
  if (await answers(lock)) return undefined;
  const mutex = await listen(takeover);
  if (!mutex) {
    // Another is at it, or was killed in the few milliseconds of it: then a later start finds the way free.
    if (!(await answers(takeover)) && ageMs(takeover) > TAKEOVER_MS) rmSync(takeover, { force: true });
    return undefined;
  }
  try {
    await setTimeout(20); // one that starts at this moment has its file a little before it answers
    if (await answers(lock)) return undefined;
    rmSync(lock, { force: true });
    return await listen(lock);
  } finally {
    await close(mutex);
  }
}

/** A relative path is shorter in deep directories. Throws, in words, when that is too long as well. */
function socketPath(directory: string, name: string): string {
  const full = path.join(directory, name);
  const relative = path.relative(process.cwd(), full);
  const shorter = relative.length < full.length ? relative : full;
  if (Buffer.byteLength(shorter) <= LONGEST_SOCKET_PATH) return shorter;
  throw new Error(
    `DATA_DIR (${directory}) is too long for the lock of the embedded database: choose one of at most ` +
      `${LONGEST_SOCKET_PATH - name.length - 1} bytes, or start from a folder nearer to it`,
  );
}

const ageMs = (file: string): number => {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats ? Date.now() - stats.mtimeMs : 0;
};

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

function listen(socketPath: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen(socketPath, () => resolve(server));
  });
}

function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
