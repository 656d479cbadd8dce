/**
 * Tells a database that can't serve now from a statement that is wrong: the first is 503 and passes by itself,
 * the second is our bug. Knows PostgreSQL's codes, Node's socket errors, and the words of node-postgres, Knex and PGlite,
 * whose errors have no codes.
 */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!isError(error)) return false;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code === 'string') {
    if (typeof syscall === 'string' && SOCKET_CALLS.has(syscall)) return true;
    if (SQLSTATE.test(code)) return SQLSTATES.some((state) => code.startsWith(state));
  }
  if (UNAVAILABLE_NAMES.has(error.name)) return true;
  if (UNAVAILABLE_WORDS.test(error.message)) return true;
  return 'errors' in error && Array.isArray(error.errors)
    ? error.errors.some(isDatabaseUnavailable)
    : isDatabaseUnavailable(error.cause);
}

/**
 * What of an error may be logged. A database's message and detail quote the values of the statement, which may be
 * anything that a caller sent: of those only the code and the names of things are kept.
 */
export function loggable(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, constraint, table } = error as { code?: string; constraint?: string; table?: string };
  const frames = error.stack
    ?.split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');
  const ofDatabase = typeof code === 'string' && SQLSTATE.test(code);
  // Knex puts the statement, its values written into it, before " - ".
  const message = ofDatabase ? `database error ${code}` : error.message.split(' - ').at(-1)?.slice(0, 500);
  return { type: error.name, message, code, constraint, table, stack: frames };
}

/** Also of an error that was made in another realm (a VM context, as Jest's), which `instanceof` misses. */
const isError = (error: unknown): error is Error =>
  typeof error === 'object' && error !== null && 'name' in error && 'message' in error;

const SQLSTATE = /^[0-9A-Z]{5}$/;

/** Classes: 08 connection, 53 resources, 57 operator, 58 system; 25006 read-only, 25P03 idle; 40: it lost a race, and may try again. */
const SQLSTATES = ['08', '53', '57', '58', '25006', '25P03', '40'];

/** Node's errors name the call that failed: of a socket, rather than of a file. */
const SOCKET_CALLS = new Set(['connect', 'read', 'write', 'getaddrinfo']);

const UNAVAILABLE_NAMES = new Set(['KnexTimeoutError', 'TimeoutError', 'RuntimeError']);

const UNAVAILABLE_WORDS =
  /Connection terminated|Connection ended|connection error and is not queryable|Connection is not (?:open|available)|Unable to acquire a connection|Query read timeout|timeout expired|timeout exceeded when trying to connect|sorry, too many clients|PGlite (?:is|failed|not)|Cannot perform I\/O|memory access out of bounds|aborted\(/i;
