import type { AppKind } from '../../config/app-kinds.ts';
import type { Environment } from '../../config/environments.ts';
import type { Figures } from '../../config/plans.ts';
import type { Scope } from '../../config/scopes.ts';
import type { SecurityProfile } from '../../config/security-profiles.ts';
import type { SigningAlgorithm } from '../../config/signing-algorithms.ts';
import type { Visible } from '../principals/principal.ts';
import type { Jwks } from './jwks.ts';

/** Who answers for an app: an organization; nobody, since it registered itself (RFC 7591), or is known by a document of its own. */
export type AppSource = 'organization' | 'registration' | 'document';

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
  /** Where a person may be sent after signing out (OpenID Connect RP-Initiated Logout). */
  postLogoutRedirectUris: string[];
  /** Its public keys, or where they are. An app with keys proves itself by private_key_jwt, and by no secret. */
  jwks: Jwks | undefined;
  jwksUri: string | undefined;
  /** Lower limits of its own. */
  limits: Partial<Figures>;
  /** Of its access tokens and id_tokens. */
  tokenSigningAlg: SigningAlgorithm;
  securityProfile: SecurityProfile;
  homepageUrl: string | undefined;
  logoUrl: string | undefined;
  privacyUrl: string | undefined;
  createdBy: string | undefined;
  createdAt: Date;
  updatedAt: Date;
};

/** What a change of an app may change. A member given as undefined removes what was there. */
export type AppChange = Partial<
  Pick<
    App,
    | 'name'
    | 'redirectUris'
    | 'postLogoutRedirectUris'
    | 'scopes'
    | 'requirePkce'
    | 'jwks'
    | 'jwksUri'
    | 'tokenSigningAlg'
    | 'securityProfile'
    | 'homepageUrl'
    | 'logoUrl'
    | 'privacyUrl'
    | 'limits'
  >
>;

/** A client secret. Several may be valid at once, so that one can be replaced without an outage. */
export type AppSecret = { id: string; last4: string; expiresAt: Date | undefined };

/** `hash`: SHA-256 of the whole secret. */
export type HashedAppSecret = AppSecret & { hash: Buffer };

export type ListedAppSecret = AppSecret & { createdAt: Date; lastUsedAt: Date | undefined };

export type FoundAppSecret = Pick<App, 'environment'> & {
  /** Undefined for an app that no organization registered. */
  organizationId: string | undefined;
  id: string;
  appId: string;
  usable: boolean;
};

/** An app with what the OAuth endpoints and the consent page need to know of it, read in one query. */
export type RegisteredApp = Omit<App, 'organizationId'> & {
  /** Undefined for an app that no organization registered. */
  organizationId: string | undefined;
  organizationName: string | undefined;
  source: AppSource;

  /** Marked by the operator: may introspect and revoke tokens of every organization. */
  resourceServer: boolean;
  secrets: HashedAppSecret[];
};

/** Every method joins the open transaction. */
export type AppStore = {
  insert(app: App): Promise<void>;
  findRegistered(id: string): Promise<RegisteredApp | undefined>;
  find(owner: Visible, id: string): Promise<App | undefined>;
  /** Newest first, from below the id `after`; at most `limit`. */
  list(owner: Visible, page: { limit: number; after: string | undefined }): Promise<App[]>;
  /** The same as `find`, and MUST hold the app's lock until the transaction ends. */
  findForChange(owner: Visible, id: string): Promise<App | undefined>;
  /**
   * The same, and MUST let nobody give the app anything until the transaction ends, nor be kept waiting by those who do without
   * end. First in its transaction.
   */
  findForDeletion(owner: Visible, id: string): Promise<App | undefined>;
  update(id: string, change: AppChange, at: Date): Promise<void>;
  setResourceServer(id: string, resourceServer: boolean): Promise<void>;
  delete(id: string): Promise<void>;
  /** Counts an organization's apps; MUST make concurrent counts of one organization wait. */
  countOf(organizationId: string): Promise<number>;

  addSecret(appId: string, secret: HashedAppSecret, at: Date): Promise<void>;
  /** Newest first, expired ones included, from below the id `after`; at most `limit`. */
  listSecrets(appId: string, page: { limit: number; after: string | undefined }): Promise<ListedAppSecret[]>;
  /** The ids of those that authenticate now, by the database's clock. */
  usableSecrets(appId: string): Promise<string[]>;
  /** The secret of this SHA-256, whosever app's it is. `usable`: whether it authenticates now. */
  findSecret(hash: Buffer): Promise<FoundAppSecret | undefined>;
  /** Lets it expire in `graceSeconds`; false when it does so earlier by itself. */
  expireSecret(id: string, graceSeconds: number): Promise<boolean>;
  /** False when the app has no such secret. */
  deleteSecret(appId: string, id: string): Promise<boolean>;
  deleteExpiredSecrets(appId: string): Promise<void>;
  /** Notes last uses; an earlier one never overwrites a later one. */
  recordSecretUses(uses: readonly { id: string; at: Date }[]): Promise<void>;
};
