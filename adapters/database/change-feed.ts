import pg from 'pg';
import type { ChangeFeed } from '../../src/kernel/change-feed.ts';
import type { Logger } from '../../src/kernel/log.ts';

export const CHANNEL = 'credential_changes';

const BEAT_INTERVAL_MS = 250;
/** An unanswered beat ends the connection; news older than this is never relied on. */
const STALE_AFTER_MS = 700;
const LONGEST_RECONNECT_MS = 2_000;

export type OpenFeed = () => ChangeFeed & { close(): Promise<void> };

type Listeners = { change: ((tag: string) => void)[]; gap: (() => void)[] };

/**
 * Listens on a connection of its own. News arrives on it in the order of the commits and before the answer to a
 * later statement, so a beat that was answered proves that nothing committed before it was sent is still to come.
 */
export function listenForChanges(
  connectionString: string,
  logger: Logger,
): ChangeFeed & { close(): Promise<void> } {
  const listeners: Listeners = { change: [], gap: [] };
  let client: pg.Client | undefined;
  let provenAtMs = Number.NEGATIVE_INFINITY;
  let closed = false;
  let attempts = 0;
  let timer: NodeJS.Timeout | undefined;

  const later = (work: () => Promise<void>, ms: number): void => {
    if (closed) return;
    timer = setTimeout(() => void work(), ms);
    timer.unref();
  };

  const lose = (reason: string): void => {
    if (!client) return;
    logger.warn(
      { reason },
      'the feed of changes is lost; credentials are checked in the database until it is back',
    );
    const lost = client;
    client = undefined;
    provenAtMs = Number.NEGATIVE_INFINITY;
    lost.removeAllListeners('notification');
    void lost.end().catch(() => undefined);
    later(connect, 50);
  };

  const beat = async (): Promise<void> => {
    const current = client;
    if (!current) return;
    const sentAtMs = performance.now();
    const overdue = setTimeout(() => current === client && lose('no answer'), STALE_AFTER_MS);
    try {
      await current.query('SELECT 1');
      if (current === client) provenAtMs = sentAtMs;
    } catch (error) {
      if (current === client) lose((error as Error).message);
    } finally {
      clearTimeout(overdue);
    }
    if (current === client) later(beat, BEAT_INTERVAL_MS);
  };

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString,
      connectionTimeoutMillis: 2_000,
      keepAlive: true,
      application_name: 'promptreports-auth feed',
    });
    next.on('error', (error) => next === client && lose(error.message));
    next.on('end', () => next === client && lose('the connection ended'));
    next.on('notification', ({ payload }) => {
      for (const listener of listeners.change) listener(payload ?? '');
    });
    try {
      await next.connect();
      await next.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      logger.warn({ err: (error as Error).message }, 'the feed of changes can not be opened');
      void next.end().catch(() => undefined);
      attempts += 1;
      return later(connect, Math.min(LONGEST_RECONNECT_MS, 100 * 2 ** attempts));
    }
    if (closed) return void next.end().catch(() => undefined);
    attempts = 0;
    client = next;
    for (const listener of listeners.gap) listener(); // what happened before LISTEN was not told
    await beat();
  }
  void connect();

  return {
    onChange: (listener) => void listeners.change.push(listener),
    onGap: (listener) => void listeners.gap.push(listener),
    isLive: () => client !== undefined && performance.now() - provenAtMs < STALE_AFTER_MS,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      const last = client;
      client = undefined;
      await last?.end().catch(() => undefined);
    },
  };
}

/** The embedded database has one session and one process: its own connection hears what it commits, at once. */
export function createLocalFeed(): ChangeFeed & { hear(connection: pg.Client): void } {
  const listeners: Listeners = { change: [], gap: [] };
  return {
    onChange: (listener) => void listeners.change.push(listener),
    onGap: (listener) => void listeners.gap.push(listener),
    isLive: () => true,
    hear: (connection) => {
      for (const listener of listeners.gap) listener();
      connection.on('notification', ({ payload }) => {
        for (const listener of listeners.change) listener(payload ?? '');
      });
    },
  };
}
