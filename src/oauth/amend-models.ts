import Provider, { errors } from 'oidc-provider';
import { DEVICE_CODE } from '../../config/app-kinds.ts';
import type { Clock } from '../kernel/clock.ts';
import { grantMark } from '../kernel/grant-mark.ts';
import { issueSecret } from '../kernel/secret.ts';
import type { RegisteredClient } from './client-metadata.ts';
import { findSecret } from './client-secret.ts';

export type AmendDeps = {
  clock: Clock;
  /** Told of each client secret that authenticated its app. Must not throw. */
  noteSecretUse(secretId: string): void;
};

/** Endpoints that a grant type is named at, or that stand for one. */
const ASKS_FOR_GRANTS = new Set(['token', 'device_authorization']);

/** Where the library's models need more than settings. Guarded by tests that notice when its inside changes. */
export function amendModels(provider: Provider, { clock, noteSecretUse }: AmendDeps): void {
  // A grant is for one organization: kept with it, so that every token under it can say which.
  const grantPayload = provider.Grant.IN_PAYLOAD;
  Object.defineProperty(provider.Grant, 'IN_PAYLOAD', { get: () => [...grantPayload, 'organizationId'] });

  const refreshTokens = provider.RefreshToken.prototype as unknown as { generateTokenId(): string };
  refreshTokens.generateTokenId = () => issueSecret('rt_').reveal();

  const accessTokens = provider.AccessToken.prototype as unknown as {
    grantId?: string;
    generateTokenId(): string;
  };
  const generateTokenId = accessTokens.generateTokenId; // it also settles the token's format
  accessTokens.generateTokenId = function () {
    const random = generateTokenId.call(this);
    return this.grantId === undefined ? random : `${random}.${grantMark(this.grantId)}`;
  };

  const clients = provider.Client.prototype;
  clients.compareClientSecret = function (this: unknown, presented: string) {
    const secretId = findSecret(this as RegisteredClient, presented, clock().getTime());
    if (secretId !== undefined) noteSecretUse(secretId);
    return secretId !== undefined;
  };

  // RFC 6749 §5.2: a grant type that the client may not use is unauthorized_client, not invalid_request.
  const grantTypeAllowed = clients.grantTypeAllowed;
  clients.grantTypeAllowed = function (this: typeof clients, type: string) {
    const allowed = grantTypeAllowed.call(this, type);
    const ctx = Provider.ctx;
    const asked = ctx?.oidc.route === 'device_authorization' ? DEVICE_CODE : ctx?.oidc.params?.['grant_type'];
    if (!allowed && ASKS_FOR_GRANTS.has(ctx?.oidc.route ?? '') && asked === type) {
      throw new errors.UnauthorizedClient('this app is not registered for this grant type');
    }
    return allowed;
  };
}
