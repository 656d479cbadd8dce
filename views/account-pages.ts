import type { Environment } from '../config/environments.ts';
import type { Role } from '../config/roles.ts';
import type { Scope, ScopeLevel } from '../config/scopes.ts';

/** What the pages of a person's own account need. Times are shown in the reader's zone where scripts run, else in UTC. */
export type AccountPages = {
  'account/profile': ProfilePage;
  'account/email': EmailPage;
  'account/password': PasswordPage;
  'account/sessions': SessionsPage;
  'account/security': SecurityPage;
  'account/totp': TotpPage;
  'account/passkey': PasskeyPage;
  'account/passkey-name': PasskeyNamePage;
  'account/recovery-codes': RecoveryCodesPage;
  'account/remove-factor': RemoveFactorPage;
  'account/apps': AppsPage;
  'account/withdraw': WithdrawPage;
  'account/organizations': OrganizationsPage;
  'account/leave': LeavePage;
  'second-step': SecondStepPage;
};

/** What a browser is asked for a passkey: its options as JSON, and our sealed challenge, which comes back with the answer. */
export type PasskeyQuestion = { options: string; challenge: string };

type ProfilePage = {
  name: string;
  email: string;
  error?: string | undefined;
  done?: 'name' | 'email' | 'password' | undefined;
};

type EmailPage = { present: string; typed: string; error?: string | undefined };

type PasswordPage = {
  /** For password managers: which account this is. */
  email: string;
  errors: { present?: string; next?: string };
};

type SessionsPage = {
  /** This browser's comes first. */
  sessions: readonly {
    id: string;
    device: { label: string; kind: 'computer' | 'phone' | 'unknown' };
    /** "" when it is not known. */
    network: string;
    signedInAt: Date;
    lastSeenAt: Date;
    current: boolean;
  }[];
  done: boolean;
};

type SecurityPage = {
  totp: { createdAt: Date; lastUsedAt: Date } | undefined;
  passkeys: readonly { id: string; name: string; createdAt: Date; lastUsedAt: Date | undefined }[];
  recoveryCodesLeft: number;
  /** An organization requires a second step, and this person has none. */
  required: boolean;
  /** What was done a moment ago. */
  done: 'added' | 'renamed' | 'removed' | undefined;
  totpUrl: string;
  passkeyUrl: string;
};

type TotpPage = {
  action: string;
  /** The secret in base 32, in groups. */
  typed: string;
  /** The QR code, as a data: URL. */
  picture: string;
  /** The sealed secret, which comes back with the code. */
  setup: string;
  error?: string | undefined;
};

type PasskeyPage = { action: string; passkey: PasskeyQuestion; error?: string | undefined };

/** `present`: what it is called; `name`: what was typed. */
type PasskeyNamePage = { action: string; present: string; name: string; error?: string | undefined };

type RecoveryCodesPage = { codes: readonly string[]; first: boolean; continueUrl: string };

type RemoveFactorPage = { action: string; name: string };

type SecondStepPage = {
  action: string;
  app?: { name: string; logoUrl?: string | undefined } | undefined;
  /** Proves that the first step was done. */
  pending: string;
  passkey: PasskeyQuestion | undefined;
  hasTotp: boolean;
  error?: string | undefined;
};

type ConnectedApp = {
  id: string;
  appName: string;
  logoUrl: string | undefined;
  developer: string | undefined;
  environment: Environment;
  organizationName: string;
  scopes: readonly { scope: Scope; description: string; level: ScopeLevel }[];
  /** The OpenID scopes: what it knows of the person. */
  identity: readonly string[];
  allowedAt: Date;
  lastUsedAt: Date | undefined;
};

type AppsPage = { apps: readonly ConnectedApp[]; done: boolean };

type WithdrawPage = { action: string; app: ConnectedApp };

type OrganizationsPage = {
  organizations: readonly { id: string; name: string; role: Role }[];
  done: boolean;
};

type LeavePage = { action: string; organization: string; error?: string | undefined };
