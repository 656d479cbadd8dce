import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import path from 'node:path';

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

/**
 * Holds `directory` for this process by listening on a unix socket in it. The kernel ends the listening with
 * the process, also by kill -9, so a lock never outlives its holder; a file with a process id would.
 * Two embedded databases on one directory lose acknowledged rows.
 */
export async function lockDirectory(directory: string): Promise<{ release(): Promise<void> }> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  // A unix socket's path may have at most about 100 bytes: a relative one is shorter in deep directories.
  const full = path.join(directory, 'lock.sock');
  const relative = path.relative(process.cwd(), full);
  const socketPath = relative.length < full.length ? relative : full;

  for (let attempt = 0; attempt < 2; attempt++) {
    const server = await listen(socketPath);
    if (server) {
      server.unref();
      return { release: () => new Promise((resolve) => server.close(() => resolve())) };
    }
    if (await answers(socketPath)) break;
    rmSync(socketPath, { force: true }); // left by a process that was killed
  }
  throw new DirectoryInUseError(directory);
}

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
