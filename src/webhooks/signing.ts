import { createHmac } from 'node:crypto';
import { hasSecretShape, issueSecret, type Secret } from '../kernel/secret.ts';

/** A promise to secret scanners and to Standard Webhooks' libraries: never change it. */
const SECRET_PREFIX = 'whsec_';

/**
 * A new signing secret. It has the shape of all our secrets (30 random characters of base 62, six of checksum), and
 * these 36 characters are also valid base64, of 27 bytes: what Standard Webhooks wants of a secret (24 to 64 bytes).
 */
export const issueWebhookSecret = (): Secret => issueSecret(SECRET_PREFIX);

export const isWebhookSecret = (value: string): boolean => hasSecretShape(SECRET_PREFIX, value);

/**
 * The headers of Standard Webhooks 1.0 for one attempt: a signature with each of `secrets`, so that a receiver may know
 * either while they are rotated. `id`: the event's, the same in each attempt. `timestamp`: this attempt's, Unix seconds.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export const signatureHeaders = (
  secrets: readonly Secret[],
  { id, timestamp, body }: { id: string; timestamp: number; body: string },
): Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string> => ({
  'webhook-id': id,
  'webhook-timestamp': String(timestamp),
  'webhook-signature': secrets
    .map((secret) => {
      const key = Buffer.from(secret.reveal().slice(SECRET_PREFIX.length), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
    })
    .join(' '),
});
