import type { RecordAudit } from '../audit/event.ts';
import { hasSecretShape, issueSecret, sha256 } from '../kernel/secret.ts';
import type { LeakHandler } from '../secret-scanning/leak.ts';
import { INITIAL_TOKEN_PREFIX, REGISTRATION_TOKEN_PREFIX } from './registration-tokens.ts';

const nobodys = { organizationId: undefined, environment: 'live' } as const;

/**
 * Who has the registration access token of an app (RFC 7592) can give it other redirect URIs. One that was found in public opens
 * nothing more; the app works on as it is, and to be changed it has to be registered anew.
 */
export const createLeakedRegistrationTokens = (deps: {
  /** Puts another hash in the place of a token's; the app's id, or undefined where there is no such token. */
  replaceToken(hash: Buffer, other: Buffer): Promise<string | undefined>;
  audit: RecordAudit;
}): LeakHandler => ({
  secret: undefined,
  recognises: (value) => hasSecretShape(REGISTRATION_TOKEN_PREFIX, value),
  disarm: async (value) => {
    const unseen = sha256(issueSecret(REGISTRATION_TOKEN_PREFIX).reveal());
    const appId = await deps.replaceToken(sha256(value), unseen);
    if (appId === undefined) return undefined;
    await deps.audit({
      type: 'token.revoked',
      actor: { type: 'system' },
      targetId: appId,
      data: { token: 'registration_access_token', reason: 'leaked' },
    });
    return { ...nobodys, subject: appId, action: 'revoked' };
  },
});

/** With an initial access token (RFC 7591) anybody can register apps where the operator lets in only some. */
export const createLeakedInitialTokens = (deps: {
  dropToken(token: string): Promise<boolean>;
  audit: RecordAudit;
}): LeakHandler => ({
  secret: undefined,
  recognises: (value) => hasSecretShape(INITIAL_TOKEN_PREFIX, value),
  disarm: async (value) => {
    if (!(await deps.dropToken(value))) return undefined;
    await deps.audit({
      type: 'token.revoked',
      actor: { type: 'system' },
      data: { token: 'initial_access_token', reason: 'leaked' },
    });
    return { ...nobodys, subject: 'registration', action: 'revoked' };
  },
});
