import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { SETTINGS, type SettingName } from './settings.ts';

/** What the process runs by: read once, checked whole, passed in. Nothing else reads the environment. */
export type Config = {
  production: boolean;
  /** Origin of the API and OAuth issuer, without a trailing slash. */
  apiUrl: string;
  /** Origin of the pages, without a trailing slash. */
  webUrl: string;
  port: number;
  host: string;
  /** How long to serve on once told to stop. */
  drainSeconds: number;
  databaseUrl: string | undefined;
  databasePoolSize: number;
  /** Absolute path. */
  dataDir: string;
  redisUrl: string | undefined;
  /** Whether `redisUrl` names a node of a cluster. */
  redisCluster: boolean;
  metricsPort: number | undefined;
  /** 32 bytes. Absent only in development: then made and kept in `dataDir`. */
  secretKey: Buffer | undefined;
  trustedProxies: string[];
  smtpUrl: string | undefined;
  mailFrom: string;
  secretScanningKeysUrl: string | undefined;
  logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  credentialCacheSeconds: number;
  refreshGraceSeconds: number;
  jwksCacheSeconds: number;
  signingKeyDays: number;
  /** For how long usage is kept by the hour, then by the day; and by the second. */
  usageRetentionDays: { hours: number; days: number; seconds: number };
  requireDpopNonce: boolean;
  registration: 'off' | 'open' | 'token';
  clientIdMetadataDocuments: boolean;
};

/** Carries every fault of the settings, one a line, each naming its variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: string[];

  constructor(faults: string[]) {
    super(
      `The configuration has ${faults.length === 1 ? 'a fault' : `${faults.length} faults`}:\n${faults.map((f) => `  - ${f}`).join('\n')}`,
    );
    this.faults = faults;
  }
}

type Values = { [N in SettingName]?: z.output<(typeof SETTINGS)[N]> };

/**
 * Reads the settings from `env`. An empty value counts as absent; NAME_FILE is a path to read NAME from.
 * Throws ConfigError with all faults together. Doesn't check that what the URLs name can be reached.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const faults: string[] = [];
  const values = Object.fromEntries(
    (Object.keys(SETTINGS) as SettingName[]).map((name) => [name, readSetting(name, env, faults)]),
  ) as Values;

  const production = values.NODE_ENV === 'production';
  const port = values.PORT ?? 3000;
  if (production) {
    for (const name of ['API_URL', 'WEB_URL', 'SECRET_KEY'] as const) {
      if (
        values[name] === undefined &&
        !faults.some((fault) => fault.startsWith(`${name} `) || fault.startsWith(`${name}_FILE `))
      ) {
        faults.push(`${name} is required in production`);
      }
    }
    for (const name of ['API_URL', 'WEB_URL'] as const) {
      if (values[name]?.startsWith('http:')) faults.push(`${name} must be an https URL in production`);
    }
  }
  const usageRetentionDays = {
    hours: values.USAGE_HOURS_DAYS ?? 35,
    days: values.USAGE_DAYS_DAYS ?? 400,
    seconds: values.USAGE_SECONDS_DAYS ?? 7,
  };
  if (usageRetentionDays.days < usageRetentionDays.hours)
    faults.push('USAGE_DAYS_DAYS must be at least USAGE_HOURS_DAYS');
  if (faults.length > 0) throw new ConfigError(faults);

  const apiUrl = values.API_URL ?? `http://localhost:${port}`;
  const webUrl = values.WEB_URL ?? apiUrl;
  return {
    production,
    apiUrl,
    webUrl,
    port,
    host: values.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    drainSeconds: values.DRAIN_SECONDS ?? (production ? 3 : 0),
    databaseUrl: values.DATABASE_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE ?? 10,
    dataDir: path.resolve(values.DATA_DIR ?? './data'),
    redisUrl: values.REDIS_URL,
    redisCluster: values.REDIS_CLUSTER ?? false,
    metricsPort: values.METRICS_PORT,
    secretKey: values.SECRET_KEY,
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    smtpUrl: values.SMTP_URL,
    mailFrom: values.MAIL_FROM ?? `PromptReports <no-reply@${new URL(webUrl).hostname}>`,
    secretScanningKeysUrl: values.SECRET_SCANNING_KEYS_URL,
    logLevel: values.LOG_LEVEL ?? 'info',
    credentialCacheSeconds: values.CREDENTIAL_CACHE_SECONDS ?? 300,
    refreshGraceSeconds: values.REFRESH_GRACE_SECONDS ?? 10,
    jwksCacheSeconds: values.JWKS_CACHE_SECONDS ?? 900,
    signingKeyDays: values.SIGNING_KEY_DAYS ?? 90,
    usageRetentionDays,
    registration: values.REGISTRATION ?? 'off',
    clientIdMetadataDocuments: values.CLIENT_ID_METADATA_DOCUMENTS === 'on',
    requireDpopNonce: values.DPOP_NONCES === 'required',
  };
}

function readSetting(name: SettingName, env: Record<string, string | undefined>, faults: string[]): unknown {
  const file = env[`${name}_FILE`];
  let raw = env[name];
  if (file) {
    if (raw) {
      faults.push(`${name} and ${name}_FILE are both set: keep one`);
      return undefined;
    }
    try {
      raw = readFileSync(file, 'utf8').trim();
    } catch (error) {
      faults.push(`${name}_FILE names a file that can't be read (${(error as NodeJS.ErrnoException).code})`);
      return undefined;
    }
  }
  if (!raw) return undefined;
  const parsed = SETTINGS[name].safeParse(raw);
  if (parsed.success) return parsed.data;
  faults.push(...parsed.error.issues.map((issue) => `${name} ${issue.message}`));
  return undefined;
}
