import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Database } from '../../adapters/database/database.ts';
import { createSecondFactorStore } from '../../adapters/database/second-factors.ts';
import { createUserStore } from '../../adapters/database/users.ts';
import type { SecondFactorStore } from '../../src/accounts/second-factor.ts';
import { newId } from '../../src/kernel/ids.ts';
import { describeEachDatabase } from '../support/each-database.ts';

describeEachDatabase('Second factors', (open) => {
  let database: Database;
  let store: SecondFactorStore;

  beforeAll(async () => {
    database = await open();
    store = createSecondFactorStore(database);
  }, 60_000);

  afterAll(() => database?.close());

  const person = async (): Promise<string> => {
    const id = newId('usr');
    const users = createUserStore(database);
    await users.insert({ id, email: `${id}@example.com`, name: 'Some Body', passwordHash: 'x' });
    return id;
  };

  const once = async (spend: () => Promise<boolean>): Promise<number> => {
    const answers = await Promise.all(Array.from({ length: 10 }, spend));
    return answers.filter(Boolean).length;
  };

  test('a time step is spent once, and none before it afterwards', async () => {
    const userId = await person();
    const factor = { userId, sealedSecret: Buffer.from('sealed'), step: 100 };
    expect(await store.insertTotp(factor)).toBe(true);
    expect(await store.insertTotp(factor)).toBe(false);
    expect(await store.spendTotpStep(userId, 100)).toBe(false);
    expect(await once(() => store.spendTotpStep(userId, 102))).toBe(1);
    expect(await store.spendTotpStep(userId, 101)).toBe(false);
    expect(await store.spendTotpStep(userId, 103)).toBe(true);
    expect(await store.deleteTotp(userId)).toBe(true);
    expect(await store.spendTotpStep(userId, 104)).toBe(false);
  });

  test('a recovery code is spent once, by its own person, until others replace it', async () => {
    const [userId, other] = [await person(), await person()];
    const [first, second] = [randomBytes(32), randomBytes(32)];
    await store.replaceRecoveryCodes(userId, [first, second]);
    expect(await store.spendRecoveryCode(other, first)).toBe(false);
    expect(await once(() => store.spendRecoveryCode(userId, first))).toBe(1);
    expect((await store.factorsOf(userId)).recoveryCodesLeft).toBe(1);
    await store.replaceRecoveryCodes(userId, [randomBytes(32)]);
    expect(await store.spendRecoveryCode(userId, second)).toBe(false);
  });

  test('a challenge is spent once', async () => {
    const hash = randomBytes(32);
    expect(await once(() => store.spendChallenge(hash, 60))).toBe(1);
    await store.sweep(100);
    expect(await store.spendChallenge(hash, 60)).toBe(false);
  });

  test("a passkey is one person's, and only they can remove it", async () => {
    const [userId, other] = [await person(), await person()];
    const passkey = {
      id: newId('psk'),
      userId,
      name: 'Laptop',
      credentialId: randomBytes(32),
      publicKey: randomBytes(77),
      signCount: 0,
      transports: ['internal', 'hybrid'],
    };
    expect(await store.insertPasskey(passkey)).toBe(true);
    expect(await store.insertPasskey({ ...passkey, id: newId('psk'), userId: other })).toBe(false);
    expect(await store.findPasskey(passkey.credentialId)).toMatchObject(passkey);
    await store.recordPasskeyUse(passkey.id, 4_294_967_295);
    expect(await store.findPasskey(passkey.credentialId)).toMatchObject({ signCount: 4_294_967_295 });
    expect(await store.hasAny(userId)).toBe(true);
    expect(await store.deletePasskey(other, passkey.id)).toBeUndefined();
    expect(await store.deletePasskey(userId, passkey.id)).toBe('Laptop');
    expect(await store.hasAny(userId)).toBe(false);
  });
});
