import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto';

/**
 * Keys derived from SECRET_KEY, one a purpose (HKDF-SHA-256), so that what is sealed for one
 * purpose can't be opened as another and a leaked HMAC key opens nothing.
 */
export type Sealer = {
  /** AES-256-GCM; layout: version (1 byte) | nonce (12) | tag (16) | ciphertext. `context` is authenticated, not stored. */
  seal(plain: string, context: string): Buffer;
  /** Opens what `seal` made with the same context. Throws when it was changed, moved to another row, or made with another key. */
  open(sealed: Buffer, context: string): string;
  /** Keyed hash for lookups of values with little entropy (user codes) and for CSRF tokens. 32 bytes. */
  mac(value: string, context: string): Buffer;
  /** A derived key for a library that wants one of its own (cookie signing). 32 bytes. */
  deriveKey(purpose: string): Buffer;
};

const VERSION = 1;

/** `secretKey`: 32 bytes. */
export function createSealer(secretKey: Buffer): Sealer {
  if (secretKey.length !== 32) throw new Error('SECRET_KEY must be 32 bytes');
  const deriveKey = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', secretKey, Buffer.alloc(0), `promptreports-auth/${purpose}`, 32));
  const sealingKey = deriveKey('seal');
  const macKey = deriveKey('mac');

  return {
    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', sealingKey, nonce).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), nonce, cipher.getAuthTag(), body]);
    },
    open(sealed, context) {
      if (sealed.length < 29 || sealed[0] !== VERSION) throw new Error('sealed value has an unknown version');
      const decipher = createDecipheriv('aes-256-gcm', sealingKey, sealed.subarray(1, 13))
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(13, 29));
      return decipher.update(sealed.subarray(29), undefined, 'utf8') + decipher.final('utf8');
    },
    mac: (value, context) => createHmac('sha256', macKey).update(`${context}\0${value}`).digest(),
    deriveKey,
  };
}
