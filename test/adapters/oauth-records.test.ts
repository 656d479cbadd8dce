import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AdapterPayload } from 'oidc-provider';
import type { Database } from '../../adapters/database/database.ts';
import { createRecordAdapter } from '../../adapters/database/oauth-record-adapter.ts';
import { createRecordStore } from '../../adapters/database/oauth-records.ts';
import { createSealer } from '../../src/kernel/sealing.ts';
import { openFreshPostgres } from '../support/databases.ts';
import { describeEachDatabase } from '../support/each-database.ts';
import { describeWith } from '../support/needs.ts';

/** What RFC 9126 §2.2 calls it of a pushed request, and of everything else the end of a family. */
const refusal = (kind: string) =>
  kind === 'PushedAuthorizationRequest'
    ? { name: 'InvalidRequestUri' }
    : { name: 'AlreadyUsedError', grantId: 'g' };

const sealer = createSealer(Buffer.alloc(32, 5));

/** What the OAuth library may rely on, whichever database is behind it. */
describeEachDatabase('The storage of OAuth records', (open) => {
  let database: Database;
  let next = 0;
  const newId = () => `id-${++next}`;
  const adapter = (kind: string) => createRecordAdapter(kind, database, sealer);
  const payload = (id: string, more: object = {}) => ({ jti: id, kind: 'x', ...more }) as AdapterPayload;
  const rows = () => database.sql()('oauth_records');

  beforeAll(async () => {
    database = await open();
  }, 60_000);

  afterAll(() => database.close());

  describe.each(['AuthorizationCode', 'RefreshToken', 'PushedAuthorizationRequest', 'DeviceCode'])(
    '%s',
    (kind) => {
      test('is spent by exactly one of 50 at once', async () => {
        const id = newId();
        await adapter(kind).upsert(id, payload(id, { grantId: 'g' }), 60);
        const attempts = await Promise.allSettled(
          Array.from({ length: 50 }, () => adapter(kind).consume(id)),
        );
        expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        for (const attempt of attempts) {
          if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject(refusal(kind));
        }
      });

      test('stays spent when it is saved again', async () => {
        const id = newId();
        await adapter(kind).upsert(id, payload(id), 60);
        await adapter(kind).consume(id);
        await adapter(kind).upsert(id, payload(id, { scope: 'late' }), 60);
        expect(await adapter(kind).find(id)).toMatchObject({
          jti: id,
          scope: 'late',
          consumed: expect.any(Number),
        });
        await expect(adapter(kind).consume(id)).rejects.toMatchObject({ name: refusal(kind).name });
      });

      test('is found by its id, and not by what is stored of it', async () => {
        const id = newId();
        await adapter(kind).upsert(id, payload(id), 60);
        expect(await adapter(kind).find(id)).toMatchObject({ jti: id });
        const stored = (await rows().where({ kind }).select<{ id_hash: Buffer }[]>('id_hash')).map(
          ({ id_hash }) => id_hash,
        );
        for (const hash of stored) {
          for (const encoding of ['hex', 'base64', 'base64url', 'latin1'] as const) {
            expect(await adapter(kind).find(hash.toString(encoding))).toBeUndefined();
          }
        }
        expect(await adapter(`Other${kind}`).find(id)).toBeUndefined();
      });
    },
  );

  test('a proof or assertion is taken once of 50 at once, and its id again when its time is over', async () => {
    const id = newId();
    const take = () => adapter('ReplayDetection').upsert(id, payload(id), 60);
    const attempts = await Promise.allSettled(Array.from({ length: 50 }, take));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await rows()
      .where({ kind: 'ReplayDetection' })
      .update({ expires_at: database.sql().raw("now() - interval '1 second'") });
    await take();
    await expect(take()).rejects.toMatchObject({ error: 'invalid_request' });
  });

  test.each(['Session', 'Interaction', 'DeviceCode', 'PushedAuthorizationRequest'])(
    '%s is sealed, id and all',
    async (kind) => {
      const id = newId();
      await adapter(kind).upsert(
        id,
        payload(id, { uid: `uid-${id}`, userCode: `UC-${id}`, accountId: 'usr_1' }),
        60,
      );
      expect(await adapter(kind).findByUid(`uid-${id}`)).toMatchObject({ jti: id });
      expect(await adapter(kind).findByUserCode(`UC-${id}`)).toMatchObject({ jti: id });
      const [row] = await rows().where({ kind }).orderBy('created_at', 'desc').limit(1);
      expect(row.payload).toBeNull();
      expect(row.sealed.includes(Buffer.from(id))).toBe(false);
    },
  );

  test('a row is kept 15 seconds past its time, not found after them, and then swept', async () => {
    const store = createRecordStore(database, sealer);
    const [lately, longAgo] = [newId(), newId()];
    for (const [id, seconds] of [
      [lately, 5],
      [longAgo, 20],
    ] as const) {
      await adapter('AccessToken').upsert(id, payload(id), 60);
      await rows()
        .where({ kind: 'AccessToken' })
        .whereRaw('expires_at > now()')
        .update({ expires_at: database.sql().raw(`now() - interval '${seconds} seconds'`) });
    }
    expect(await adapter('AccessToken').find(lately)).toMatchObject({ jti: lately });
    expect(await adapter('AccessToken').find(longAgo)).toBeUndefined();
    expect(await store.sweep(100)).toBe(1);
    expect(await rows().where({ kind: 'AccessToken' })).toHaveLength(1);
  });

  test('revoking by grant ends one kind of that grant, and deleting by grant all of it, and nothing else', async () => {
    const ids = { code: newId(), token: newId(), other: newId() };
    await adapter('AuthorizationCode').upsert(ids.code, payload(ids.code, { grantId: 'grant-a' }), 60);
    await adapter('RefreshToken').upsert(ids.token, payload(ids.token, { grantId: 'grant-a' }), 60);
    await adapter('RefreshToken').upsert(ids.other, payload(ids.other, { grantId: 'grant-b' }), 60);
    await adapter('AuthorizationCode').revokeByGrantId('grant-a');
    expect(await adapter('AuthorizationCode').find(ids.code)).toBeUndefined();
    expect(await adapter('RefreshToken').find(ids.token)).toBeDefined();
    await database.transaction(() => createRecordStore(database, sealer).deleteByGrant('grant-a'));
    expect(await adapter('RefreshToken').find(ids.token)).toBeUndefined();
    expect(await adapter('RefreshToken').find(ids.other)).toBeDefined();
  });
});

describeWith(
  'postgresql',
  'Two that revoke one family at once, one of which lost a race for a token of it',
  () => {
    test('wait for each other and both succeed: the family is locked before the row', async () => {
      const database = await openFreshPostgres();
      const codes = createRecordAdapter('AuthorizationCode', database, sealer);
      const { deleteByGrant } = createRecordStore(database, sealer);
      await codes.upsert('code', { jti: 'code', kind: 'AuthorizationCode', grantId: 'family' }, 60);

      const winnerMayCommit = gate();
      const loserMayRevoke = gate();
      const winnerHasSpent = gate();
      const loserHasLost = gate();
      const winner = database.transaction(async () => {
        await codes.consume('code');
        winnerHasSpent.open();
        await winnerMayCommit.opened;
      });
      await winnerHasSpent.opened;
      const loser = database.transaction(async () => {
        await expect(codes.consume('code')).rejects.toMatchObject({ name: 'AlreadyUsedError' });
        loserHasLost.open();
        await loserMayRevoke.opened;
        await deleteByGrant('family');
      });
      await setTimeout(200); // the loser waits for the winner's row by now
      winnerMayCommit.open();
      await winner;
      await loserHasLost.opened;
      const other = database.transaction(() => deleteByGrant('family'));
      await setTimeout(200);
      loserMayRevoke.open();
      const ended = await Promise.allSettled([loser, other]);
      await database.close();
      expect(ended).toEqual([
        { status: 'fulfilled', value: undefined },
        { status: 'fulfilled', value: undefined },
      ]);
    }, 30_000);
  },
);

/** A promise to wait for, and the way to let those go on who wait. */
function gate(): { opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}
