import { createGrantAdapter } from '../../adapters/database/grants.ts';
import { createRecordAdapter } from '../../adapters/database/oauth-record-adapter.ts';
import { grantsWithBasis, readWithBasis } from '../../adapters/database/token-basis.ts';
import { createClientAdapter } from '../oauth/client-adapter.ts';
import { createClientKeys } from '../oauth/client-keys.ts';
import { createFamilyEnding } from '../oauth/end-family.ts';
import { createTokenBases } from '../oauth/token-basis.ts';
import { createConsentWithdrawal } from '../oauth/withdraw-consent.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** What the provider and the pages about its grants are given; the provider itself is made in src/wiring. */
export function oauthServices(foundation: Foundation, { apps, records, grants, endGrants }: Stores) {
  const { config, clock, sealer, database, transaction, audit, safeFetch } = foundation;
  const tokenBases = createTokenBases();
  const clientKeys = createClientKeys({
    safeFetch,
    clock,
    jwksUriOf: async (id) => (await apps.findRegistered(id))?.jwksUri,
  });
  return {
    tokenBases,
    clientKeys,
    /** Ends what hangs on a grant, with it: codes, refresh tokens, and every access token under it. */
    endFamily: createFamilyEnding({ deleteByGrant: records.deleteByGrant, grants, audit }),
    withdrawConsent: createConsentWithdrawal({ endGrants, transaction, audit }),
    oauthAdapterFor: (kind: string) => {
      if (kind === 'Client') {
        return createClientAdapter({
          findApp: apps.findRegistered,
          keysAt: clientKeys.known,
          documents: config.clientIdMetadataDocuments,
        });
      }
      if (kind === 'Grant') return grantsWithBasis(createGrantAdapter(database), tokenBases);
      const adapter = createRecordAdapter(kind, database, sealer);
      return kind === 'AuthorizationCode' || kind === 'RefreshToken'
        ? readWithBasis(kind, adapter, database, tokenBases)
        : adapter;
    },
  };
}
