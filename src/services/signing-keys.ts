import { createKeyRing } from '../oauth/key-ring.ts';
import { createSigningKeys } from '../oauth/signing-keys.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** The signing keys, made where there are none yet, and read. */
export async function openSigningKeys(
  { config, logger, transaction, audit }: Foundation,
  { signingKeyStore }: Pick<Stores, 'signingKeyStore'>,
) {
  const signingKeys = createSigningKeys({
    store: signingKeyStore,
    schedule: {
      jwksCacheSeconds: config.jwksCacheSeconds,
      rotateAfterSeconds: config.signingKeyDays * 86_400,
    },
    transaction,
    audit,
  });
  const keyRing = createKeyRing(signingKeyStore, (error) =>
    logger.warn({ err: error }, 'signing keys could not be read anew'),
  );
  await signingKeys.start();
  await keyRing.reload();
  return {
    signingKeys,
    keyRing,
    /** Does what is due with the signing keys, and reads them anew, in case the news of a change was missed. */
    followSigningKeys: async () => {
      await signingKeys.advance();
      await keyRing.reload();
    },
  };
}
