import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createSessionStore } from '../../adapters/database/sessions.ts';
import { createUserStore } from '../../adapters/database/users.ts';
import { newId } from '../../src/kernel/ids.ts';
import { createSealer } from '../../src/kernel/sealing.ts';
import type { SessionStore } from '../../src/oauth/session-store.ts';
import { openFreshPostgres } from '../support/databases.ts';
import { describeWith } from '../support/needs.ts';

const MOMENT_MS = 100;
const moment = () => new Promise((resolve) => setTimeout(resolve, MOMENT_MS));

/** A session that is being written, until `finish` is called. `epoch`: as soon as it may be written at all. */
type Writer = { epoch: Promise<number | undefined>; finish(): Promise<void> };

describeWith('postgresql', 'Ending sessions while a browser never rests', () => {
  let database: Database;
  let store: SessionStore;
  let userId: string;

  beforeAll(async () => {
    database = await openFreshPostgres();
    store = createSessionStore(database, createSealer(randomBytes(32)));
    userId = newId('usr');
    const users = createUserStore(database);
    await users.insert({ id: userId, email: 'ada@example.com', name: 'Ada', passwordHash: 'x' });
  }, 60_000);
  afterAll(() => database?.close());

  function write(): Writer {
    const mayFinish = Promise.withResolvers<void>();
    const epoch = Promise.withResolvers<number | undefined>();
    const done = database.transaction(async () => {
      epoch.resolve(await store.holdEpoch(userId));
      await mayFinish.promise;
    });
    return {
      epoch: epoch.promise,
      finish: async () => {
        mayFinish.resolve();
        await done;
      },
    };
  }

  /** What has happened after a moment, in the order in which it did. */
  const stateOf = async (things: Record<string, Promise<unknown>>): Promise<string[]> => {
    const happened: string[] = [];
    for (const [name, thing] of Object.entries(things)) void thing.then(() => happened.push(name));
    await moment();
    return happened;
  };

  test.each([
    ['all of them', () => store.endAll(userId), 1],
    ['one', () => store.end(userId, '00'), 0],
  ])('%s: waits for those that are written, not for those that come after', async (_, end, more) => {
    const before = write();
    const epoch = (await before.epoch) ?? Number.NaN;
    const ending = end();
    await moment();
    const after = write();
    expect(await stateOf({ ending, after: after.epoch })).toEqual([]);

    await before.finish();
    await ending;
    expect(await after.epoch).toBe(epoch + more);
    await after.finish();
  });

  test('what happens to the person otherwise waits for no session', async () => {
    const writers = [write(), write()];
    await Promise.all(writers.map(({ epoch }) => epoch));
    expect(await database.sql()('users').where({ id: userId }).update({ name: 'Augusta' })).toBe(1);
    await Promise.all(writers.map(({ finish }) => finish()));
  });
});
