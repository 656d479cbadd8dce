import { AsyncLocalStorage } from 'node:async_hooks';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Database } from '../../adapters/database/database.ts';
import { migrate } from '../../adapters/database/migrate.ts';
import { isDatabaseUnavailable } from '../../src/kernel/database-failure.ts';
import type { OpenDatabase } from '../support/databases.ts';

/** Runs work as if it were called from here, where no transaction is open. */
const outsideTransactions = AsyncLocalStorage.snapshot();

/** What every database behind the port must do: the SQL of the adapters rests on it. */
export function databaseContract(open: OpenDatabase): void {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await database.sql().raw(`
      CREATE TABLE counters (name text PRIMARY KEY, value integer NOT NULL DEFAULT 0 CHECK (value < 1000));
      CREATE TABLE parts (counter text NOT NULL REFERENCES counters);
      CREATE TABLE shapes (id serial PRIMARY KEY, at timestamptz, document jsonb, list text[], bytes bytea);
    `);
  });
  afterAll(() => database.close());

  const add = async (name: string): Promise<void> => {
    await database.sql()('counters').insert({ name });
  };
  const exists = async (name: string): Promise<boolean> =>
    (await database.sql()('counters').where({ name }).first()) !== undefined;

  describe('a transaction', () => {
    test('keeps all that was written in it, and gives back what its work returned', async () => {
      const result = await database.transaction(async () => {
        await add('kept-1');
        await add('kept-2');
        return 'done';
      });
      expect(result).toBe('done');
      expect([await exists('kept-1'), await exists('kept-2')]).toEqual([true, true]);
    });

    test('keeps nothing when its work throws, and throws the same error', async () => {
      const error = new Error('changed my mind');
      const work = database.transaction(async () => {
        await add('dropped');
        throw error;
      });
      await expect(work).rejects.toBe(error);
      expect(await exists('dropped')).toBe(false);
    });

    test('keeps nothing when one of its statements fails', async () => {
      const work = database.transaction(async () => {
        await add('before-the-fault');
        await add('before-the-fault');
      });
      await expect(work).rejects.toMatchObject({ code: '23505' });
      expect(await exists('before-the-fault')).toBe(false);
    });

    test('sees its own writes, and nobody else does before it ends', async () => {
      let outside: Promise<boolean> | undefined;
      const work = database.transaction(async () => {
        await add('uncommitted');
        expect(await exists('uncommitted')).toBe(true);
        outside = outsideTransactions(() => exists('uncommitted'));
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new Error('roll back');
      });
      await expect(work).rejects.toThrow('roll back');
      expect(await outside).toBe(false);
    });

    test('that is opened inside another is part of it: the outer failure takes its writes too', async () => {
      const work = database.transaction(async () => {
        await add('outer');
        await database.transaction(() => add('inner'));
        expect(await exists('inner')).toBe(true);
        throw new Error('roll back');
      });
      await expect(work).rejects.toThrow('roll back');
      expect([await exists('outer'), await exists('inner')]).toEqual([false, false]);
    });

    test('that is opened inside another fails the other with it', async () => {
      const work = database.transaction(async () => {
        await add('outer-2');
        await database.transaction(async () => {
          throw new Error('inner fault');
        });
      });
      await expect(work).rejects.toThrow('inner fault');
      expect(await exists('outer-2')).toBe(false);
    });

    test('does not mix with one that runs at the same time', async () => {
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          database.transaction(async () => {
            await add(`mixed-${index}-a`);
            await new Promise((resolve) => setTimeout(resolve, 2));
            await add(`mixed-${index}-b`);
            if (index % 2 === 1) throw new Error('odd');
          }),
        ),
      );
      expect(results.map(({ status }) => status)).toEqual(
        Array.from({ length: 20 }, (_, index) => (index % 2 === 1 ? 'rejected' : 'fulfilled')),
      );
      const names: string[] = await database.sql()('counters').where('name', 'like', 'mixed-%').pluck('name');
      expect(names.sort()).toEqual(
        Array.from({ length: 10 }, (_, index) => [`mixed-${index * 2}-a`, `mixed-${index * 2}-b`])
          .flat()
          .sort(),
      );
    });

    test('loses no update when fifty count at once', async () => {
      await add('count');
      await Promise.all(
        Array.from({ length: 50 }, () =>
          database.transaction(async () => {
            const row = await database.sql()('counters').where({ name: 'count' }).forUpdate().first('value');
            await database
              .sql()('counters')
              .where({ name: 'count' })
              .update({ value: row.value + 1 });
          }),
        ),
      );
      expect(await database.sql()('counters').where({ name: 'count' }).first('value')).toEqual({ value: 50 });
    });
  });

  test('of fifty that claim the same key at once, exactly one wins and the others learn why', async () => {
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => add('contested')));
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost).toHaveLength(49);
    for (const { reason } of lost)
      expect(reason).toMatchObject({ code: '23505', constraint: 'counters_pkey' });
  });

  describe('a statement that breaks a rule fails with', () => {
    const failures: [string, string, () => Promise<unknown>][] = [
      [
        'a duplicate key',
        '23505',
        () =>
          database
            .sql()('counters')
            .insert([{ name: 'twin' }, { name: 'twin' }]),
      ],
      ['a reference to nothing', '23503', () => database.sql()('parts').insert({ counter: 'nobody' })],
      ['a check', '23514', () => database.sql()('counters').insert({ name: 'large', value: 1000 })],
      ['a missing value', '23502', () => database.sql()('parts').insert({ counter: null })],
      ['a NUL in a text', '22021', () => add('a\0b')],
      ['an unknown table', '42P01', () => database.sql()('nowhere')],
    ];
    test.each(failures)('%s: code %s, which is not taken for an outage', async (_, code, run) => {
      const error = await run().then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code });
      expect(isDatabaseUnavailable(error)).toBe(false);
      await expect(database.ping()).resolves.toBeUndefined();
    });
  });

  describe('comes back as it was written:', () => {
    /** Writes a value through the driver, and reads it back through it. */
    const roundTrip = async (column: string, value: unknown): Promise<unknown> => {
      const [written] = await database
        .sql()('shapes')
        .insert({ [column]: value })
        .returning('id');
      const row = await database.sql()('shapes').where({ id: written.id }).first(column);
      return row[column];
    };

    test('a time, to the millisecond, whatever its zone', async () => {
      const dates = fc.date({
        min: new Date('1900-01-01'),
        max: new Date('2200-01-01'),
        noInvalidDate: true,
      });
      await fc.assert(
        fc.asyncProperty(dates, async (at) => expect(await roundTrip('at', at)).toEqual(at)),
        { numRuns: 30 },
      );
      expect(await roundTrip('at', '2026-01-15T12:30:00.123+02:00')).toEqual(
        new Date('2026-01-15T10:30:00.123Z'),
      );
    });

    test('a document', async () => {
      const documents = fc
        .jsonValue({ stringUnit: 'grapheme' })
        .map((value) => JSON.stringify(value))
        .filter((json) => !json.includes('\\u0000')); // which jsonb refuses
      await fc.assert(
        fc.asyncProperty(documents, async (json) =>
          expect(await roundTrip('document', json)).toEqual(JSON.parse(json)),
        ),
        { numRuns: 30 },
      );
    });

    test('a list of texts, be they empty or full of quotes, commas, braces and backslashes', async () => {
      const texts = fc.oneof(
        fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', '')),
        fc.constantFrom('', ' ', 'NULL', '{}', '{"a","b"}', 'a,b', '"', '\\', '\\"', "'", '\n'),
      );
      await fc.assert(
        fc.asyncProperty(fc.array(texts), async (list) =>
          expect(await roundTrip('list', list)).toEqual(list),
        ),
        { numRuns: 30 },
      );
    });

    test('bytes, each of the 256', async () => {
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
      expect(await roundTrip('bytes', bytes)).toEqual(bytes);
      expect(await roundTrip('bytes', Buffer.alloc(0))).toEqual(Buffer.alloc(0));
    });

    test.each(['at', 'document', 'list', 'bytes'])('the absence of %s', async (column) => {
      expect(await roundTrip(column, null)).toBeNull();
    });
  });

  describe('a connection that is lost in the middle of a transaction', () => {
    /** Cuts the connection that the next statement would use, as a network does: without a word. */
    const cut = async (): Promise<void> => {
      const { client } = database.sql();
      const connection = await client.acquireConnection();
      connection.on('error', () => {});
      connection.connection.stream.destroy();
      await new Promise((resolve) => connection.once('end', resolve));
      await client.releaseConnection(connection);
    };

    test('takes the transaction with it, and swallows no later write', async () => {
      const work = database.transaction(async () => {
        await add('lost-with-its-connection');
        await cut();
        await add('after-the-cut');
      });
      const error: unknown = await work.catch((reason: unknown) => reason);
      expect(isDatabaseUnavailable(error)).toBe(true);
      await add('written-later');
      await cut(); // a transaction that was left open would end here, and `written-later` with it
      expect(await exists('lost-with-its-connection')).toBe(false);
      expect(await exists('after-the-cut')).toBe(false);
      expect(await exists('written-later')).toBe(true);
    });
  });

  describe('the migrations', () => {
    test('have all run once the database is open: running them again does nothing', async () => {
      await expect(migrate(database.sql())).resolves.toEqual([]);
      await expect(database.sql()('organizations').count('* as count')).resolves.toEqual([{ count: '0' }]);
    });

    test('may be run by several at once', async () => {
      await expect(Promise.all(Array.from({ length: 5 }, () => migrate(database.sql())))).resolves.toEqual([
        [],
        [],
        [],
        [],
        [],
      ]);
    });
  });
}
