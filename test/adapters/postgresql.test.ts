import { expect, jest, test } from '@jest/globals';
import { type Database, openDatabase } from '../../adapters/database/database.ts';
import { migrate } from '../../adapters/database/migrate.ts';
import { isDatabaseUnavailable } from '../../src/kernel/database-failure.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { freshPostgres } from '../support/databases.ts';
import { freePort } from '../support/free-port.ts';
import { harness } from '../support/harness.ts';
import { describeWith } from '../support/needs.ts';
import { startPostgres } from '../support/postgres.ts';

describeWith('postgresql', 'PostgreSQL', () => {
  const open = (databaseUrl: string): Promise<Database> =>
    openDatabase({ databaseUrl, poolSize: 3, dataDir: harness().directory, logger: createLogger('silent') });

  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => 'no failure',
      (error: unknown) => error,
    );

  test('gets its schema once when several processes start on an empty database together', async () => {
    const { databaseUrl, drop } = await freshPostgres({ empty: true });
    const nodes = await Promise.all(Array.from({ length: 4 }, () => open(databaseUrl)));
    const applied: string[] = await (nodes[0] as Database).sql()('migrations').pluck('name');
    expect(applied).toContain('0001-foundation');
    expect(new Set(applied).size).toBe(applied.length);
    await Promise.all(nodes.map((node) => node.close()));
    await drop();
  });

  test('is migrated under load: a change of a table that is in use keeps nobody else waiting for long', async () => {
    const { databaseUrl, drop } = await freshPostgres();
    const [node, dump] = await Promise.all([open(databaseUrl), open(databaseUrl)]);
    await node.sql().raw("DELETE FROM migrations WHERE name = '0014-security-profile'");
    await node.sql().raw('ALTER TABLE apps DROP COLUMN security_profile');
    const order: string[] = [];
    let migrated: Promise<unknown> = Promise.resolve();
    let slowestMs = 0;
    // A dump reads for as long as it likes; here until forty reads of others got through beside the migration.
    await dump.transaction(async () => {
      await dump.sql()('apps').select('id');
      migrated = migrate(node.sql()).then((names) => order.push(...names));
      for (let i = 0; i < 40; i++) {
        const startedMs = performance.now();
        await node.sql()('apps').select('id');
        slowestMs = Math.max(slowestMs, performance.now() - startedMs);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      order.push('the dump is done');
    });
    await migrated;
    expect(order).toEqual(['the dump is done', '0014-security-profile']);
    expect(slowestMs).toBeLessThan(2_000);
    await Promise.all([node.close(), dump.close()]);
    await drop();
  });

  test('that cannot be reached stops the start, as an outage', async () => {
    const error = await failure(open(`postgres://postgres@127.0.0.1:${await freePort()}/nowhere`));
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  test('that dies is an outage at once, and is used again as soon as it is back, with all that was written', async () => {
    const server = await startPostgres(harness().directory, 'mortal');
    const database = await open(server.url('postgres'));
    await database.sql().raw("INSERT INTO organizations (id, name) VALUES ('org_1', 'Written before')");

    const printed = jest.spyOn(console, 'log');
    await server.kill();
    const before = Date.now();
    for (const work of [database.ping(), database.transaction(() => database.ping())]) {
      expect(isDatabaseUnavailable(await failure(work))).toBe(true);
    }
    expect(Date.now() - before).toBeLessThan(6_000);

    server.start();
    await expect(database.ping()).resolves.toBeUndefined();
    expect(await database.sql()('organizations').pluck('name')).toEqual(['Written before']);
    expect(printed).not.toHaveBeenCalled(); // standard output is for what commands answer
    await database.close();
    await server.kill();
  });
});
