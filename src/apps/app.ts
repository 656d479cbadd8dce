import type { Environment } from '../../config/environments.ts';
import type { Scope } from '../../config/scopes.ts';

/** web: a server that keeps a secret; spa and native: public; service: acts for itself, without a person. */
export const APP_KINDS = ['web', 'spa', 'native', 'service'] as const;

export type AppKind = (typeof APP_KINDS)[number];

/** An OAuth client as its developers see it. Its id is the client_id. */
export type App = {
  id: string;
  organizationId: string;
  name: string;
  kind: AppKind;
  environment: Environment;
  redirectUris: string[];
  /** The most that it may ask for. */
  scopes: Scope[];
  /** Always true but for confidential web apps that were registered without. */
  requirePkce: boolean;
  homepageUrl: string | undefined;
  logoUrl: string | undefined;
  privacyUrl: string | undefined;
  createdBy: string | undefined;
};

/** SHA-256 of a client secret. Several may be valid at once, so that one can be replaced without an outage. */
export type AppSecret = { id: string; hash: Buffer; last4: string; expiresAt: Date | undefined };

/** An app with what the OAuth endpoints and the consent page need to know of it, read in one query. */
export type RegisteredApp = App & { organizationName: string; secrets: AppSecret[] };

/** Every method joins the open transaction. */
export type AppStore = {
  insert(app: App): Promise<void>;
  addSecret(appId: string, secret: AppSecret): Promise<void>;
  findRegistered(id: string): Promise<RegisteredApp | undefined>;
};

export const isConfidential = (kind: AppKind): boolean => kind === 'web' || kind === 'service';
