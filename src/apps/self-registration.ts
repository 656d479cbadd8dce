import { authMethodOf } from '../../config/app-kinds.ts';
import type { RecordAudit } from '../audit/event.ts';
import type { Clock } from '../kernel/clock.ts';
import { isId, newId } from '../kernel/ids.ts';
import { hasSecretShape, issueSecret, type Secret, sha256 } from '../kernel/secret.ts';
import type { HashedAppSecret } from './app.ts';
import { type ClientFields, readClientMetadata } from './client-registration.ts';
import { makeAppSecret } from './register-app.ts';

const TOKEN_PREFIX = 'reg_';

/** An app that registered itself. It belongs to no organization: see docs/adr/0008. */
export type RegisteredItself = ClientFields & { id: string; createdAt: Date };

/** `tokenHash`: SHA-256 of the registration access token. Every method joins the open transaction. */
export type RegistrationStore = {
  insert(id: string, fields: ClientFields, tokenHash: Buffer, at: Date): Promise<void>;
  addSecret(appId: string, secret: HashedAppSecret, at: Date): Promise<void>;
  find(id: string, tokenHash: Buffer): Promise<RegisteredItself | undefined>;
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

/** RFC 7591, and of RFC 7592 reading and deleting. Who may register at all is for the endpoint to see. */
export function createSelfRegistration({
  store,
  endGrants,
  transaction,
  audit,
  clock,
}: SelfRegistrationDeps) {
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
        const token = issueSecret(TOKEN_PREFIX);
        await store.insert(id, fields, sha256(token.reveal()), now);
        let secret: Secret | undefined;
        if (authMethodOf(fields) === 'client_secret_basic') {
          const made = makeAppSecret(undefined, now);
          await store.addSecret(id, made.secret, now);
          secret = made.value;
        }
        const data = { name: fields.name, kind: fields.kind, scopes: fields.scopes };
        await audit({ type: 'app.registered', actor: { type: 'app', id }, targetId: id, ip, data });
        return { app: { ...fields, id, createdAt: now }, secret, token };
      }),

    read: async (id: string, token: string): Promise<RegisteredItself | undefined> =>
      isId('app', id) && hasSecretShape(TOKEN_PREFIX, token) ? store.find(id, sha256(token)) : undefined,

    /** False when there is no such app with that token. */
    delete: async (id: string, token: string, ip: string): Promise<boolean> => {
      if (!isId('app', id) || !hasSecretShape(TOKEN_PREFIX, token)) return false;
      return transaction(async () => {
        const app = await store.find(id, sha256(token));
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
}
