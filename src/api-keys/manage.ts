import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { AppError, notFound } from '../kernel/errors.ts';
import type { Secret } from '../kernel/secret.ts';
import { requireHeld } from '../principals/held-scopes.ts';
import { actorOf, type By, type Principal, visibleTo } from '../principals/principal.ts';
import { type ApiKey, type ApiKeyStore, type KeyChange, statusOf } from './api-key.ts';
import { type CreateApiKey, type NewApiKey, successorOf } from './create.ts';

export type ManageDeps = {
  apiKeys: ApiKeyStore;
  createApiKey: CreateApiKey;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
};

type NewKeyFields = Pick<NewApiKey, 'name' | 'environment' | 'scopes'> &
  Partial<Pick<NewApiKey, 'expiresAt' | 'ipAllowlist' | 'limits'>>;

export type ApiKeys = ReturnType<typeof createApiKeys>;

/**
 * Everything that is done with API keys, for the API, the console and the command line alike. Each change and its audit
 * event are one transaction. Scopes of the route are checked before; here is what depends on the key:
 * a key acts on itself alone, and nobody gives a key what they don't hold.
 */
export function createApiKeys({ apiKeys, createApiKey, transaction, audit, clock }: ManageDeps) {
  const record = (
    type: 'api_key.updated' | 'api_key.revoked',
    { principal, ip }: By,
    { id, environment }: ApiKey,
    data = {},
  ) =>
    audit({
      type,
      organizationId: principal.organizationId,
      environment,
      actor: actorOf(principal),
      targetId: id,
      ip,
      data,
    });

  const lock = async (principal: Principal, id: string): Promise<ApiKey> => {
    const key = await apiKeys.findForChange(visibleTo(principal), id);
    if (!key) throw notFound();
    return key;
  };

  return {
    create: async ({ principal, ip }: By, fields: NewKeyFields): Promise<{ apiKey: ApiKey; key: Secret }> => {
      refuseKey(principal, 'create another');
      if (principal.environment === 'test' && fields.environment === 'live') {
        throw new AppError('forbidden', 'A sandbox credential can not make a production key.');
      }
      requireHeld(principal, fields.scopes);
      return createApiKey(
        { ...fields, organizationId: principal.organizationId, ...creatorOf(principal) },
        { actor: actorOf(principal), ip },
      );
    },

    change: ({ principal, ip }: By, id: string, change: KeyChange): Promise<ApiKey> =>
      transaction(async () => {
        const key = await lock(principal, id);
        refuseKey(principal, 'change');
        requireUsable(key, clock());
        requireHeld(
          principal,
          (change.scopes ?? []).filter((scope) => !key.scopes.includes(scope)),
        );
        await apiKeys.update(id, change);
        const fields = Object.keys(change);
        if (fields.length > 0) await record('api_key.updated', { principal, ip }, key, { fields });
        return { ...key, ...change };
      }),

    /** A new key with the same settings; the old one works for `graceSeconds` more. */
    rotate: (
      { principal, ip }: By,
      id: string,
      graceSeconds: number,
    ): Promise<{ apiKey: ApiKey; key: Secret }> =>
      transaction(async () => {
        const old = await lock(principal, id);
        const itself = isItself(principal, id);
        if (!itself) refuseKey(principal, 'rotate another');
        requireUsable(old, clock());
        if (old.replacedAt) throw new AppError('conflict', 'This API key was rotated already.');
        if (!itself) requireHeld(principal, old.scopes); // or rotating would be a way to get what one lacks
        await apiKeys.replace(id, graceSeconds);
        return createApiKey(
          { ...successorOf(old, clock()), ...(itself ? {} : creatorOf(principal)) },
          { actor: actorOf(principal), ip },
        );
      }),

    revoke: ({ principal, ip }: By, id: string): Promise<void> =>
      transaction(async () => {
        const key = await lock(principal, id);
        if (!isItself(principal, id)) refuseKey(principal, 'revoke another');
        if (key.revokedAt) return; // revoking twice is revoking
        await apiKeys.revoke(id);
        await record('api_key.revoked', { principal, ip }, key, { name: key.name });
      }),
  };
}

const isItself = (principal: Principal, id: string): boolean =>
  principal.method === 'api_key' && principal.id === id;

function refuseKey({ method }: Principal, what: string): void {
  if (method !== 'api_key') return;
  throw new AppError(
    'forbidden',
    `An API key can not ${what} key: it may read, rotate and revoke itself. Use a person's token or client credentials.`,
  );
}

function requireUsable(key: ApiKey, now: Date): void {
  const status = statusOf(key, now);
  if (status === 'revoked' || status === 'expired')
    throw new AppError('conflict', `This API key is ${status}.`);
}

const creatorOf = (principal: Principal): Pick<NewApiKey, 'createdBy' | 'createdByApp'> =>
  principal.method === 'client_credentials'
    ? { createdBy: undefined, createdByApp: principal.id }
    : { createdBy: principal.userId, createdByApp: undefined };
