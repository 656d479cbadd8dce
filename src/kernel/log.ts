import { type Logger, pino } from 'pino';

export type { Logger };

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

// Anything shaped like a secret of ours, a JWT, or an Authorization value, wherever in a message or a URL it stands.
const SECRET_SHAPES =
  /(?<=\b|%[0-9A-F]{2})(?:(?:pr_(?:live|test)_|rt_|secret_|whsec_)[0-9A-Za-z+/=_-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?:Bearer|Basic|DPoP)(?:\s|%20|\+)+[\w.~+/=-]{8,})/gi;

/** Replaces what looks like a credential. The last net: code doesn't log credentials in the first place. */
export const redact = (text: string): string => text.replace(SECRET_SHAPES, '[redacted]');

/** Lines are gathered, or each would cost its request a system call. A kill -9 may lose the last of them. */
const BUFFER_BYTES = 16_000; // the library's own block is 16 KiB
const FLUSH_EVERY_MS = 50;

/**
 * For the one line a request, whose members are known and hold no secret: without the search for such members, which costs
 * more than the line. What looks like a credential, in a path say, is still replaced.
 */
export const accessLogOf = (logger: Logger): Logger => logger.child({}, { redact: [] });

/** JSON lines on standard error, so that what a command prints on standard output stays parseable. */
export function createLogger(level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          'authorization',
          'cookie',
          'password',
          '*.authorization',
          '*.cookie',
          '*.password',
          '*.client_secret',
        ],
        censor: '[redacted]',
      },
      hooks: { streamWrite: redact },
    },
    pino.destination({ dest: 2, sync: false, minLength: BUFFER_BYTES, periodicFlush: FLUSH_EVERY_MS }),
  );
}
