import type { Environment } from '../../config/environments.ts';
import type { Choice, FormOf, ScopeGroup } from './forms.ts';

/** Apps and their secrets. */
export type AppPages = {
  'console/apps': AppsPage;
  'console/app': AppPage;
  'console/app-form': AppFormPage;
  'console/app-secret-form': AppSecretFormPage;
};

export type AppRow = {
  id: string;
  url: string;
  name: string;
  kind: string;
  logoUrl: string | undefined;
  createdAt: string;
};

type AppsPage = {
  environment: Environment;
  apps: readonly AppRow[];
  nextUrl: string | undefined;
  newUrl: string | undefined;
};

type AppPage = {
  app: AppRow & {
    scopes: readonly string[];
    redirectUris: readonly string[];
    postLogoutRedirectUris: readonly string[];
    requirePkce: boolean;
    limits: readonly { label: string; value: number }[];
    /** Where its keys are, in place of a secret. */
    keys: string | undefined;
    homepageUrl: string | undefined;
    privacyUrl: string | undefined;
    createdBy: string | undefined;
    historyUrl: string;
  };
  endpoints: readonly { label: string; url: string }[];
  /** Absent for apps that can keep none. */
  secrets:
    | readonly {
        last4: string;
        createdAt: string;
        expiresAt: string | undefined;
        lastUsedAt: string | undefined;
        deleteUrl: string | undefined;
      }[]
    | undefined;
  saved: boolean;
  manage?:
    | { editUrl: string; deleteUrl: string; tryUrl: string; addSecretUrl: string | undefined }
    | undefined;
};

export type AppValues = {
  name: string;
  kind: string;
  redirectUris: string;
  postLogoutRedirectUris: string;
  requirePkce: boolean;
  perMinute: string;
  perDay: string;
  burst: string;
  jwksUri: string;
  homepageUrl: string;
  logoUrl: string;
  privacyUrl: string;
};

type AppFormPage = FormOf<AppValues> & {
  environment: Environment;
  /** The name of the app that is changed; absent for a new one. */
  editing?: string | undefined;
  kinds: readonly Choice[];
  scopes: readonly ScopeGroup[];
};

type AppSecretFormPage = FormOf<{ expiresOn: string }> & { app: string };
