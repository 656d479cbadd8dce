import type { RecordAudit } from '../audit/event.ts';
import type { CreateAttemptLimit } from '../kernel/attempts.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import { newId } from '../kernel/ids.ts';
import { displayName } from '../kernel/schemas.ts';
import type { Sealer } from '../kernel/sealing.ts';
import { noticeMail, type SendMail } from './mail.ts';
import type { Passkeys } from './passkeys.ts';
import { newRecoveryCodes, normalizeRecoveryCode } from './recovery-codes.ts';
import type { SecondFactorStore } from './second-factor.ts';
import { totpStep } from './totp.ts';
import { createTotpSetups } from './totp-setup.ts';
import type { User } from './user.ts';

const WINDOW_SECONDS = 15 * 60;
const MOST_PASSKEYS = 20;

export type SecondFactorsDeps = {
  store: SecondFactorStore;
  passkeys: Passkeys;
  endSessionsOf(userId: string): Promise<void>;
  sealer: Sealer;
  createLimit: CreateAttemptLimit;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  sendMail: SendMail;
  inBackground(work: () => Promise<void>): void;
  clock: Clock;
};

/** What came of adding a factor. With the first one come recovery codes, and the end of every session. */
export type Added = { fault: string } | { fault?: undefined; recoveryCodes: string[] | undefined };

export type SecondFactors = ReturnType<typeof createSecondFactors>;

/**
 * A person's second factors: codes by time (RFC 6238), passkeys, and recovery codes for when both are lost. That the
 * person has just proved who they are is seen to by the pages. Each change ends in a mail to its owner.
 */
export function createSecondFactors(deps: SecondFactorsDeps) {
  const { store, passkeys, sealer, transaction, audit } = deps;
  const byStrangers = deps.createLimit({ name: 'second-step', attempts: 10, windowSeconds: WINDOW_SECONDS });
  const byKnown = deps.createLimit({
    name: 'second-step-known',
    attempts: 20,
    windowSeconds: WINDOW_SECONDS,
  });

  const setups = createTotpSetups(deps);
  const sealingOf = (userId: string): string => `totp/${userId}`;
  const hashOf = (userId: string, code: string): Buffer =>
    sealer.mac(`${userId}\0${normalizeRecoveryCode(code)}`, 'recovery-code');

  const record = (
    type:
      | 'user.second_factor_added'
      | 'user.second_factor_renamed'
      | 'user.second_factor_removed'
      | 'user.recovery_codes_renewed',
    user: Pick<User, 'id'>,
    ip: string,
    data: Record<string, unknown> = {},
  ) => audit({ type, actor: { type: 'user', id: user.id }, targetId: user.id, ip, data });

  const tell = (user: Pick<User, 'email' | 'name'>, what: string): void =>
    deps.inBackground(() => deps.sendMail({ to: user.email, ...noticeMail({ name: user.name, what }) }));

  const renewCodes = async (userId: string): Promise<string[]> => {
    const codes = newRecoveryCodes();
    await store.replaceRecoveryCodes(
      userId,
      codes.map((code) => hashOf(userId, code)),
    );
    return codes;
  };

  /** Adds by `insert`, in a transaction with all that the first factor brings. */
  const add = async (
    user: User,
    ip: string,
    data: Record<string, unknown>,
    insert: () => Promise<string | undefined>,
  ): Promise<Added> => {
    const added = await transaction(async (): Promise<Added> => {
      await store.lock(user.id);
      const isFirst = !(await store.hasAny(user.id));
      const fault = await insert();
      if (fault !== undefined) return { fault };
      await record('user.second_factor_added', user, ip, data);
      if (!isFirst) return { recoveryCodes: undefined };
      await deps.endSessionsOf(user.id); // none goes on that was begun without it
      return { recoveryCodes: await renewCodes(user.id) };
    });
    if (added.fault === undefined) tell(user, 'a new way to sign in was added to your PromptReports account');
    return added;
  };

  const remove = async (user: User, ip: string, take: () => Promise<Record<string, unknown> | undefined>) => {
    await transaction(async () => {
      await store.lock(user.id);
      const data = await take();
      if (!data) throw notFound();
      if (!(await store.hasAny(user.id))) await store.replaceRecoveryCodes(user.id, []);
      await record('user.second_factor_removed', user, ip, data);
    });
    tell(user, 'a way to sign in was removed from your PromptReports account');
  };

  const isRightTotp = async (userId: string, code: string): Promise<boolean> => {
    const sealed = await store.sealedTotpOf(userId);
    const step = sealed && totpStep(sealer.open(sealed, sealingOf(userId)), code, deps.clock());
    return step !== undefined && (await store.spendTotpStep(userId, step));
  };

  return {
    factorsOf: store.factorsOf,
    hasAny: store.hasAny,
    beginTotp: setups.begin,
    continueTotp: setups.again,

    /** `code`: what the app shows, so that nobody is locked out by one that was set up wrongly. */
    addTotp: (user: User, { setup, code }: { setup: string; code: string }, ip: string): Promise<Added> =>
      add(user, ip, { kind: 'totp' }, async () => {
        const secret = setups.open(user, setup);
        if (secret === undefined) return 'This page was open for too long. Scan the new picture.';
        const step = totpStep(secret, code.replace(/\s/g, ''), deps.clock());
        if (step === undefined) {
          return 'This is not the code that the app shows now. Look at the clock of your device too.';
        }
        const sealedSecret = sealer.seal(secret, sealingOf(user.id));
        const inserted = await store.insertTotp({ userId: user.id, sealedSecret, step });
        return inserted ? undefined : 'An authenticator app is set up already: remove it first.';
      }),

    removeTotp: (user: User, ip: string): Promise<void> =>
      remove(user, ip, async () => ((await store.deleteTotp(user.id)) ? { kind: 'totp' } : undefined)),

    beginPasskey: async (user: User) =>
      passkeys.askToRegister(user, (await store.factorsOf(user.id)).passkeys),

    addPasskey: (
      user: User,
      { name: typed, ...answer }: { challenge: string; credential: string; name: string },
      ip: string,
    ): Promise<Added> => {
      const known = displayName.safeParse(typed.trim());
      const name = known.success ? known.data : 'Passkey';
      return add(user, ip, { kind: 'passkey', name }, async () => {
        const made = await passkeys.verifyNew(user.id, answer);
        if (!made) return 'The passkey could not be added. Try again.';
        if ((await store.factorsOf(user.id)).passkeys.length >= MOST_PASSKEYS) {
          return `An account may have ${MOST_PASSKEYS} passkeys: remove one first.`;
        }
        const inserted = await store.insertPasskey({ ...made, id: newId('psk'), userId: user.id, name });
        return inserted ? undefined : 'This passkey is in use already.';
      });
    },

    /** Throws 404. Nobody is told: what it opens stays the same. */
    renamePasskey: (user: User, id: string, name: string, ip: string): Promise<void> =>
      transaction(async () => {
        if (!(await store.renamePasskey(user.id, id, name))) throw notFound();
        await record('user.second_factor_renamed', user, ip, { kind: 'passkey', name });
      }),

    removePasskey: (user: User, id: string, ip: string): Promise<void> =>
      remove(user, ip, async () => {
        const name = await store.deletePasskey(user.id, id);
        return name === undefined ? undefined : { kind: 'passkey', name };
      }),

    /** New recovery codes; the earlier ones stop working. Throws 409 for who has no factor that they could stand in for. */
    renewRecoveryCodes: async (user: User, ip: string): Promise<string[]> => {
      const codes = await transaction(async () => {
        await store.lock(user.id);
        if (!(await store.hasAny(user.id))) {
          throw new AppError('conflict', 'Recovery codes come with a second step: set one up first.');
        }
        await record('user.recovery_codes_renewed', user, ip);
        return renewCodes(user.id);
      });
      tell(
        user,
        'new recovery codes were made for your PromptReports account, and the earlier ones do not work any more',
      );
      return codes;
    },

    /**
     * Whether this is a code of the person's authenticator app, or a recovery code, that was not used before; it is spent by
     * that. Guesses are counted by person, apart for browsers that have signed in to the account before. Throws `rate_limited`.
     */
    checkCode: async (user: User, typed: string, isKnownBrowser: boolean): Promise<boolean> => {
      const limit = isKnownBrowser ? byKnown : byStrangers;
      const { allowed, retryAfterSeconds } = await limit.attempt(user.id);
      if (!allowed) {
        throw new AppError('rate_limited', 'Too many codes that were wrong. Try again later.', {
          retryAfterSeconds,
        });
      }
      const code = typed.replace(/\s/g, '');
      if (/^\d{6}$/.test(code)) {
        if (!(await isRightTotp(user.id, code))) return false;
      } else {
        if (!(await store.spendRecoveryCode(user.id, hashOf(user.id, code)))) return false;
        tell(user, 'somebody signed in to your PromptReports account with one of your recovery codes');
      }
      await limit.reset(user.id);
      return true;
    },
  };
}
