import { type Logger, pino } from 'pino';
import { createLinePages, type LinePages } from './line-pages.ts';

export type { Logger };

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

// Anything shaped like a secret of ours, a JWT, or an Authorization value, wherever in a message or a URL it stands.
const SECRET_SHAPES =
  /(?<=\b|%[0-9A-F]{2})(?:(?:pr_(?:live|test)_|rt_|secret_|whsec_|reg_|iat_|mail_)[0-9A-Za-z+/=_-]{8,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*|(?:Bearer|Basic|DPoP)(?:\s|%20|\+)+[\w.~+/=-]{8,})/gi;

/** Replaces what looks like a credential. The last net: code doesn't log credentials in the first place. */
export const redact = (text: string): string => text.replace(SECRET_SHAPES, '[redacted]');

/** The most that a kill -9 may lose of the log. */
const FLUSH_AFTER_MS = 50;

/** One for the process, whose standard error is one. */
let standardError: LinePages | undefined;

function openStandardError(): LinePages {
  const open = (sync: boolean) =>
    pino.destination({ dest: 2, sync, contentMode: 'buffer' }) as unknown as Sink;
  const sink = open(false);
  const pages = createLinePages(
    {
      write: (page) => sink.write(page),
      writeLast: (page) => {
        sink.flushSync();
        open(true).write(page); // the other would only begin to
      },
    },
    FLUSH_AFTER_MS,
  );
  process.once('exit', pages.end);
  return pages;
}

/** The library's destination, which takes bytes too, unlike its types. */
type Sink = { write(page: Buffer): void; flushSync(): void };

/** As pino's own isoTime; made once a millisecond, in which a busy process writes several lines. */
let stampedMs = 0;
let stamp = '';
function isoTime(): string {
  const nowMs = Date.now();
  if (nowMs !== stampedMs) {
    stampedMs = nowMs;
    stamp = `,"time":"${new Date(nowMs).toISOString()}"`;
  }
  return stamp;
}

/**
 * For the one line a request, whose members are known and hold no secret: without the search for such members, which costs
 * more than the line. What looks like a credential, in a path say, is still replaced.
 */
export const accessLogOf = (logger: Logger): Logger => logger.child({}, { redact: [] });

/** JSON lines on standard error, so that what a command prints on standard output stays parseable. */
export function createLogger(level: LogLevel): Logger {
  standardError ??= openStandardError();
  return pino(
    {
      level,
      base: null,
      timestamp: isoTime,
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
    standardError,
  );
}
