import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/**
 * Every setting: its variable, its check, its default and its documentation, in one place.
 * `docs/configuration.md` is checked against this table by a test.
 */

const origin = z
  .url({ protocol: /^https?$/, error: 'must be an absolute http or https URL', abort: true })
  .refine((value) => {
    const url = URL.parse(value);
    return (
      url !== null && url.pathname === '/' && url.search === '' && url.hash === '' && url.username === ''
    );
  }, 'must be an origin alone, such as https://api.example.com: no path, query or user')
  .transform((value) => new URL(value).origin);

const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port number')
  .transform(Number)
  .refine((value) => value <= 65_535, 'must be at most 65535');

const seconds = (most: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number of seconds')
    .transform(Number)
    .refine((value) => value <= most, `must be at most ${most}`);

const days = (most: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,4}$/, 'must be a whole number of days')
    .transform(Number)
    .refine((value) => value <= most, `must be at most ${most}`);

const urlOf = (...protocols: string[]) =>
  z.string().refine(
    (value) => {
      const url = URL.parse(value);
      return url !== null && protocols.includes(url.protocol.slice(0, -1));
    },
    `must be a URL that starts with ${protocols.map((p) => `${p}://`).join(' or ')}`,
  );

const secretKey = z
  .string()
  .transform((value) => Buffer.from(value, 'base64'))
  .refine((key) => key.length === 32, 'must be 32 bytes in base64 (make one with: openssl rand -base64 32)');

const networks = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean),
  )
  .refine((list) => list.every((entry) => ipaddr.isValid(entry) || ipaddr.isValidCIDR(entry)), {
    error: 'must be addresses or CIDR ranges, separated by commas',
  });

export const SETTINGS = {
  NODE_ENV: z
    .enum(['development', 'test', 'production'])
    .describe('`production` demands HTTPS, SECRET_KEY and both URLs. Default `development`.'),
  API_URL: origin.describe(
    'The API origin and the OAuth issuer. Default in development `http://localhost:<PORT>`.',
  ),
  WEB_URL: origin.describe('The origin of the pages. Default in development: the API origin.'),
  PORT: port.describe('The port to listen on. Default 3000.'),
  HOST: z
    .string()
    .min(1)
    .describe('The address to listen on. Default `127.0.0.1` in development, `0.0.0.0` in production.'),
  DRAIN_SECONDS: seconds(300).describe(
    'How long a process that is told to stop (SIGTERM) serves on, with `/readyz` at 503, so that load balancers notice. Default 3 in production, else 0.',
  ),
  DATABASE_URL: urlOf('postgres', 'postgresql').describe(
    'PostgreSQL 15 or later. Absent: the embedded database in DATA_DIR.',
  ),
  DATABASE_POOL_SIZE: z
    .string()
    .regex(/^[1-9]\d{0,2}$/, 'must be 1 to 999')
    .transform(Number)
    .describe('Connections to PostgreSQL of one process. Default 10.'),
  DATA_DIR: z
    .string()
    .min(1)
    .describe(
      'Where the embedded database, the development secret key, unsent mail and compiled code are kept. Default `./data`.',
    ),
  REDIS_URL: urlOf('redis', 'rediss').describe(
    'Redis for limits that several processes share. Absent: each process counts by itself.',
  ),
  REDIS_CLUSTER: z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .describe('`true` when REDIS_URL names a node of a Redis Cluster. Default `false`.'),
  METRICS_PORT: port.describe('The port of `/metrics`, for Prometheus, and of nothing else. Absent: none.'),
  SECRET_KEY: secretKey.describe(
    '32 bytes in base64: seals what must be read back, signs cookies. Required in production; made and kept in DATA_DIR in development.',
  ),
  TRUSTED_PROXIES: networks.describe(
    'Proxies (addresses or CIDR ranges, separated by commas) whose X-Forwarded-For and X-Forwarded-Proto are believed. Default none.',
  ),
  SMTP_URL: urlOf('smtp', 'smtps').describe(
    'Where mail is sent. Absent: mail is written to `DATA_DIR/outbox`.',
  ),
  MAIL_FROM: z
    .string()
    .min(3)
    .describe('The sender of mail. Default `PromptReports <no-reply@HOST-OF-WEB_URL>`.'),
  SECRET_SCANNING_KEYS_URL: urlOf('https', 'http').describe(
    'Where GitHub publishes the keys that sign reports of leaked secrets (`https://api.github.com/meta/public_keys/secret_scanning`). Absent: there is no `/secret-scanning/report`.',
  ),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .describe('Default `info`.'),
  CREDENTIAL_CACHE_SECONDS: seconds(86_400).describe(
    'How long a verified credential is remembered at most; changes evict it at once. Default 300; 0 looks each one up.',
  ),
  JWKS_CACHE_SECONDS: seconds(86_400)
    .refine((value) => value >= 1, 'must be at least 1')
    .describe(
      'How long validators may keep the JWKS. A new signing key is published twice as long before it signs. Default 900.',
    ),
  SIGNING_KEY_DAYS: z
    .string()
    .regex(/^\d{1,4}$/, 'must be 0 to 9999')
    .transform(Number)
    .describe('After how many days another signing key takes over. Default 90; 0 rotates by command only.'),
  REFRESH_GRACE_SECONDS: seconds(60).describe(
    'How long a refresh token that was just rotated may be repeated by its client. Default 10; 0 allows one use; 60 where apps have the profile `fapi2`, whose clients may ask again after half a minute.',
  ),
  USAGE_HOURS_DAYS: days(400).describe('How long usage is kept by the hour; then by the day. Default 35.'),
  USAGE_DAYS_DAYS: days(3_650).describe(
    'How long usage is kept at all; at least USAGE_HOURS_DAYS. Default 400.',
  ),
  USAGE_SECONDS_DAYS: days(400).describe(
    'How long requests are kept by the second, for `limits try`. Default 7.',
  ),
  REGISTRATION: z
    .enum(['off', 'open', 'token'])
    .describe(
      'Who may register apps by themselves at `/oauth/register`: nobody, anybody, or who has a token of `registration-tokens create`. Default `off`.',
    ),
  CLIENT_ID_METADATA_DOCUMENTS: z
    .enum(['off', 'on'])
    .describe(
      '`on` takes the https URL of an app’s own metadata document as its client_id, and fetches that. Default `off`.',
    ),
  DPOP_NONCES: z
    .enum(['offered', 'required'])
    .describe(
      '`required` takes DPoP proofs with a nonce of ours alone; `offered` asks for one when the clock of a client is off. Default `offered`.',
    ),
} as const;

export type SettingName = keyof typeof SETTINGS;
