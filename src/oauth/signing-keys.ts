import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';
import type { AuditActor, RecordAudit } from '../audit/event.ts';
import { type KeySchedule, type KeyStep, maySignAt, nextKeySteps } from './key-schedule.ts';
import type { NewSigningKey, SigningKeyFacts, SigningKeyStore } from './signing-key.ts';

const RSA_BITS = 2048;

/** What has to be done before anything can be signed. The rest can wait for the first `advance`. */
const STARTING: readonly KeyStep['kind'][] = ['start', 'activate'];

export type SigningKeyDeps = {
  store: SigningKeyStore;
  schedule: KeySchedule;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
};

/** A key as `signing-keys list` shows it. `signsFrom`: for a next key that is to take over, when it does. */
export type ListedSigningKey = SigningKeyFacts & { signsFrom: Date | undefined };

/**
 * The life of the signing keys, in the database, which every process follows: each calls `advance` now and then, and whoever
 * gets there first does what is due. What is due is decided by `key-schedule.ts`.
 */
export function createSigningKeys({ store, schedule, transaction, audit }: SigningKeyDeps) {
  const system: AuditActor = { type: 'system' };

  const take = async (step: KeyStep, actor: AuditActor): Promise<void> => {
    switch (step.kind) {
      case 'start':
        return store.insert(await generateSigningKey(step.algorithm), 'current');
      case 'publish':
        return store.insert(await generateSigningKey(step.algorithm), 'next');
      case 'activate':
        if (step.retires !== undefined) await store.retire(step.retires);
        await store.activate(step.kid);
        return audit({
          type: 'signing_key.activated',
          actor,
          targetId: step.kid,
          data: step.retires === undefined ? {} : { retired: step.retires },
        });
      case 'forget':
        await store.delete(step.kid);
    }
  };

  const due = async (): Promise<KeyStep[]> => {
    const { keys, now } = await store.facts();
    return nextKeySteps(keys, now, schedule);
  };

  /** Until nothing is left to do. In the open transaction, which has to hold the lock. */
  const settle = async (actor: AuditActor, kinds?: readonly KeyStep['kind'][]): Promise<void> => {
    for (;;) {
      const steps = (await due()).filter(({ kind }) => kinds?.includes(kind) ?? true);
      if (steps.length === 0) return;
      for (const step of steps) await take(step, actor);
    }
  };

  const locked = (work: () => Promise<void>): Promise<void> =>
    transaction(async () => {
      await store.lock();
      await work();
    });

  return {
    /** Makes sure that there is a key to sign with; several processes that start together agree on one. */
    start: async (): Promise<void> => {
      const isMissing = (await due()).some(({ kind }) => STARTING.includes(kind));
      if (isMissing) await locked(() => settle(system, STARTING));
    },

    /** Does what is due. Costs two short reads when nothing is. */
    advance: async (): Promise<void> => {
      if ((await due()).length > 0) await locked(() => settle(system));
    },

    /** Asks that other keys take over, as soon as every validator can know them. */
    rotate: (actor: AuditActor): Promise<void> =>
      locked(async () => {
        await store.requestRotation();
        await settle(actor);
      }),

    /**
     * Takes a key out of use now: every token that it signed is refused by every process within a second, and another signs.
     * Validators elsewhere take its tokens until they fetch the JWKS again. False when there is no such key.
     */
    dropCompromised: async (kid: string, actor: AuditActor): Promise<boolean> => {
      let found = false;
      await locked(async () => {
        found = await store.delete(kid);
        if (!found) return;
        await audit({ type: 'signing_key.dropped', actor, targetId: kid });
        await settle(actor);
      });
      return found;
    },

    list: async (): Promise<ListedSigningKey[]> => {
      const { keys } = await store.facts();
      const isAsked = ({ algorithm }: SigningKeyFacts) =>
        keys.some(
          (key) => key.algorithm === algorithm && key.status === 'current' && key.rotationRequestedAt,
        );
      return keys.map((key) => ({
        ...key,
        signsFrom: key.status === 'next' && isAsked(key) ? maySignAt(key, schedule) : undefined,
      }));
    },
  };
}

/** A new pair; its kid is the RFC 7638 thumbprint, so that equal keys have equal names everywhere. */
async function generateSigningKey(algorithm: SigningAlgorithm): Promise<NewSigningKey> {
  const { privateKey } = await generateKeyPair(algorithm, {
    extractable: true,
    ...(algorithm === 'RS256' ? { modulusLength: RSA_BITS } : {}),
  });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  return { kid, algorithm, privateJwk: { ...jwk, kid, alg: algorithm, use: 'sig' } };
}
