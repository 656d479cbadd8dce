import { isDeepStrictEqual } from 'node:util';
import { authMethodOf } from '../../config/app-kinds.ts';
import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { isId, newId } from '../kernel/ids.ts';
import { hasSecretShape, issueSecret, type Secret, sha256 } from '../kernel/secret.ts';
import type { HashedAppSecret } from './app.ts';
import { type ClientFields, ClientMetadataError, readClientMetadata } from './client-registration.ts';
import { makeAppSecret } from './register-app.ts';
import { REGISTRATION_TOKEN_PREFIX } from './registration-tokens.ts';

/** An app that registered itself. It belongs to no organization: see docs/adr/0007. */
export type RegisteredItself = ClientFields & { id: string; createdAt: Date };

/** `tokenHash`: SHA-256 of the registration access token. Every method joins the open transaction. */
export type RegistrationStore = {
  insert(id: string, fields: ClientFields, tokenHash: Buffer, at: Date): Promise<void>;
  addSecret(appId: string, secret: HashedAppSecret, at: Date): Promise<void>;
  find(id: string, tokenHash: Buffer): Promise<RegisteredItself | undefined>;
  /** The same as `find`, and MUST hold the app's lock until the transaction ends. */
  findForChange(id: string, tokenHash: Buffer): Promise<RegisteredItself | undefined>;
  /** The same, and MUST let nobody give the app anything meanwhile. First in its transaction. */
  findForDeletion(id: string, tokenHash: Buffer): Promise<RegisteredItself | undefined>;
  update(id: string, fields: ClientFields, at: Date): Promise<void>;
  /** `hash`: SHA-256 of a secret. */
  hasSecret(appId: string, hash: Buffer): Promise<boolean>;
  deleteSecrets(appId: string): Promise<void>;
  /** False when there is none with that token. */
  delete(id: string, tokenHash: Buffer): Promise<boolean>;
};

export type SelfRegistrationDeps = {
  store: RegistrationStore;
  /** Ends what people allowed the app, and every token under it. */
  endGrants(of: { appId: string }): Promise<unknown>;
  transaction<T>(work: () => Promise<T>): Promise<T>;
  audit: RecordAudit;
  clock: Clock;
};

export type SelfRegistration = ReturnType<typeof createSelfRegistration>;

/** RFC 7591 and RFC 7592. Who may register at all is for the endpoint to see. */
export function createSelfRegistration({
  store,
  endGrants,
  transaction,
  audit,
  clock,
}: SelfRegistrationDeps) {
  const addSecret = async (id: string, now: Date): Promise<Secret> => {
    const { value, secret } = makeAppSecret(undefined, now);
    await store.addSecret(id, secret, now);
    return value;
  };

  return {
    /** Throws ClientMetadataError. Secret and token are shown this once. */
    register: (
      metadata: unknown,
      ip: string,
    ): Promise<{ app: RegisteredItself; secret: Secret | undefined; token: Secret }> =>
      transaction(async () => {
        const fields = readClientMetadata(metadata, { from: 'registration' });
        const now = clock();
        const id = newId('app', now);
        const token = issueSecret(REGISTRATION_TOKEN_PREFIX);
        await store.insert(id, fields, sha256(token.reveal()), now);
        const secret = hasSecret(fields) ? await addSecret(id, now) : undefined;
        const data = { name: fields.name, kind: fields.kind, scopes: fields.scopes };
        await audit({ type: 'app.registered', actor: { type: 'app', id }, targetId: id, ip, data });
        return { app: { ...fields, id, createdAt: now }, secret, token };
      }),

    read: async (id: string, token: string): Promise<RegisteredItself | undefined> =>
      canBe(id, token) ? store.find(id, sha256(token)) : undefined,

    /**
     * RFC 7592 §2.2: what the app says of itself now takes the place of all that it said before. Undefined when there is no
     * such app with that token; throws ClientMetadataError. `secret`: a new one, where it had none and needs one now.
     *
     * Where the name or a redirect URI is another, what people allowed ends: they allowed what they saw, and nobody
     * answers for the app. Who steals its token can't send their codes elsewhere unasked.
     */
    update: async (
      id: string,
      token: string,
      metadata: unknown,
      ip: string,
    ): Promise<{ app: RegisteredItself; secret: Secret | undefined } | undefined> => {
      if (!canBe(id, token)) return undefined;
      return transaction(async () => {
        const before = await store.findForChange(id, sha256(token));
        if (!before) return undefined;
        const { client_secret: presented, ...rest } = refuseOwnMembers(id, metadata);
        if (presented !== undefined && !(await isSecretOf(id, presented))) {
          throw invalid('client_secret: is not the one that the app has');
        }
        const fields = readClientMetadata(rest, { from: 'registration' });
        const changed = changesOf(before, fields);
        if (changed.length === 0) return { app: before, secret: undefined };
        const now = clock();
        await store.update(id, fields, now);
        const isSecretNew = hasSecret(fields) && !hasSecret(before);
        if (!hasSecret(fields)) await store.deleteSecrets(id);
        const secret = isSecretNew ? await addSecret(id, now) : undefined;
        if (changed.includes('name') || changed.includes('redirectUris')) await endGrants({ appId: id });
        const data = { fields: changed };
        await audit({ type: 'app.updated', actor: { type: 'app', id }, targetId: id, ip, data });
        return { app: { ...fields, id, createdAt: before.createdAt }, secret };
      });
    },

    /** False when there is no such app with that token. */
    delete: async (id: string, token: string, ip: string): Promise<boolean> => {
      if (!canBe(id, token)) return false;
      return transaction(async () => {
        const app = await store.findForDeletion(id, sha256(token));
        if (!app) return false;
        await endGrants({ appId: id });
        await store.delete(id, sha256(token));
        await audit({
          type: 'app.deleted',
          actor: { type: 'app', id },
          targetId: id,
          ip,
          data: { name: app.name },
        });
        return true;
      });
    },
  };

  async function isSecretOf(id: string, value: unknown): Promise<boolean> {
    return typeof value === 'string' && store.hasSecret(id, sha256(value));
  }
}

const canBe = (id: string, token: string): boolean =>
  isId('app', id) && hasSecretShape(REGISTRATION_TOKEN_PREFIX, token);

const hasSecret = (fields: ClientFields): boolean => authMethodOf(fields) === 'client_secret_basic';

/** RFC 7592 §2.2: what the server alone says of an app. */
const OURS = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
];

function refuseOwnMembers(id: string, metadata: unknown): Record<string, unknown> {
  const { client_id: named, ...rest } = (metadata ?? {}) as Record<string, unknown>;
  if (named !== id) throw invalid('client_id: must be the one of the app');
  const ours = OURS.find((member) => member in rest);
  if (ours) throw invalid(`${ours}: must be left out`);
  return rest;
}

/** The names of the members that differ. */
const changesOf = (before: ClientFields, after: ClientFields): (keyof ClientFields)[] =>
  (Object.keys(after) as (keyof ClientFields)[]).filter(
    (member) => !isDeepStrictEqual(before[member], after[member]),
  );

const invalid = (description: string): ClientMetadataError =>
  new ClientMetadataError('invalid_client_metadata', description);
