import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createRecordStore } from '../../adapters/database/oauth-records.ts';
import { loadConfig } from '../../config/config.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { createSealer } from '../../src/kernel/sealing.ts';
import { openStores } from '../../src/services/stores.ts';
import { sweeping } from '../../src/services/sweep.ts';
import { openFreshPostgres } from '../support/databases.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { describeWith } from '../support/needs.ts';

const sealer = createSealer(Buffer.alloc(32, 5));

/** More than one batch of each, as a busy minute leaves behind. */
const MANY = 2_500;

const INSERTS = `
  INSERT INTO users (id, email, name, password_hash) VALUES ('usr_1', 'a@example.com', 'A', 'x');
  INSERT INTO organizations (id, name) VALUES ('org_1', 'O');
  INSERT INTO oauth_records (kind, id_hash, payload, expires_at)
    SELECT 'AuthorizationCode', sha256(('past' || i)::bytea), '{}', now() - interval '20 seconds' FROM generate_series(1, ${MANY}) i;
  INSERT INTO oauth_records (kind, id_hash, payload, expires_at)
    SELECT 'AuthorizationCode', sha256(('live' || i)::bytea), '{}', now() + interval '1 minute' FROM generate_series(1, 10) i;
  INSERT INTO oauth_records (kind, id_hash, payload, expires_at, consumed_at, sealed_answer)
    SELECT 'RefreshToken', sha256(('spent' || i)::bytea), '{}', now() + interval '1 day', now() - interval '1 minute', 'x'
    FROM generate_series(1, ${MANY}) i;
  INSERT INTO oauth_records (kind, id_hash, payload, expires_at, consumed_at, sealed_answer)
    VALUES ('RefreshToken', sha256('just spent'), '{}', now() + interval '1 day', now(), 'x');
  INSERT INTO revoked_access_tokens (jti, expires_at)
    SELECT 'past' || i, now() - interval '1 second' FROM generate_series(1, ${MANY}) i;
  INSERT INTO revoked_access_tokens (jti, expires_at) VALUES ('live', now() + interval '1 minute');
  INSERT INTO session_details (uid_hash, user_id, user_agent, ip)
    SELECT sha256(('gone' || i)::bytea), 'usr_1', '', '' FROM generate_series(1, ${MANY}) i;
  INSERT INTO spent_challenges (challenge_hash, expires_at)
    SELECT sha256(('past' || i)::bytea), now() - interval '1 second' FROM generate_series(1, ${MANY}) i;
  INSERT INTO email_tokens (token_hash, user_id, purpose, expires_at)
    SELECT sha256(('past' || i)::bytea), 'usr_1', 'confirm_email', now() - interval '1 second' FROM generate_series(1, ${MANY}) i;
  INSERT INTO apps (id, name, kind, environment, redirect_uris, source, registration_token_hash, created_at)
    SELECT 'app_past' || i, 'x', 'native', 'live', '{http://127.0.0.1/}', 'registration', sha256(('past' || i)::bytea), now() - interval '31 days'
    FROM generate_series(1, ${MANY}) i;
  INSERT INTO grants (id, user_id, app_id, organization_id, payload, expires_at)
    VALUES ('g', 'usr_1', 'app_past1', 'org_1', '{}', now() + interval '1 year')`;

describeEachDatabase('What a busy minute leaves behind', (open) => {
  let database: Database;
  beforeAll(async () => {
    database = await open();
    await database.sql().raw(INSERTS);
  }, 60_000);
  afterAll(() => database.close());

  const count = async (table: string, where = 'true'): Promise<number> => {
    const { rows } = await database
      .sql()
      .raw<{ rows: { count: number }[] }>(`SELECT count(*)::int AS count FROM ${table} WHERE ${where}`);
    return rows[0]?.count ?? -1;
  };

  test('is gone after one sweep, and nothing else is', async () => {
    await sweeping(
      { config: loadConfig({}), logger: createLogger('warn') },
      openStores({ database, sealer }),
      { sweepUsage: async () => {}, disableWebhook: () => Promise.reject(new Error('none fell behind')) },
    )();
    expect({
      codes: await count('oauth_records', "kind = 'AuthorizationCode'"),
      spent: await count('oauth_records', "kind = 'RefreshToken'"),
      answers: await count('oauth_records', 'sealed_answer IS NOT NULL'),
      revoked: await count('revoked_access_tokens'),
      sessions: await count('session_details'),
      challenges: await count('spent_challenges'),
      links: await count('email_tokens'),
      apps: await count('apps'),
    }).toEqual({
      codes: 10,
      spent: MANY + 1, // they tell a replay until they expire
      answers: 1,
      revoked: 1,
      sessions: 0,
      challenges: 0,
      links: 0,
      apps: 1,
    });
  }, 60_000);
});

describeWith('postgresql', 'A sweep beside token requests', () => {
  let database: Database;
  beforeAll(async () => {
    database = await openFreshPostgres();
    await database.sql().raw(INSERTS);
  }, 60_000);
  afterAll(() => database.close());

  const store = () => createRecordStore(database, sealer);
  const row = (name: string) =>
    database.sql()('oauth_records').whereRaw('id_hash = sha256(?::bytea)', [name]);

  test('waits for none of the rows that they have in hand, and so never in a circle', async () => {
    let begin = () => {};
    // Out here, and so in no transaction of ours: as another process does it.
    const cleared = new Promise<void>((resolve) => {
      begin = resolve;
    }).then(() => Promise.all([store().forgetAnswers(10, 10_000), store().sweep(10_000)]));
    await database.transaction(async () => {
      await row(`spent${MANY}`).update({ payload: '{}' });
      await row(`past${MANY}`).update({ payload: '{}' });
      begin();
      await wait(300);
      await row('spent1').update({ payload: '{}' });
      await row('past1').delete();
    });
    expect(await cleared).toEqual([MANY - 1, MANY - 1]);
  }, 30_000);
});
