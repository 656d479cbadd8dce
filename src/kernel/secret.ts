import { createHash, randomInt, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { crc32 } from 'node:zlib';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 30;
const CHECKSUM_LENGTH = 6;

/**
 * A secret in the clear. Every implicit way to print it (template, JSON, inspect, log) gives "[secret]";
 * `reveal()` is the only way out, so that each place that does it can be found by its name.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[secret]';
  }

  toJSON(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** SHA-256 of a secret, 32 bytes. Enough for secrets with 128 bits of entropy or more; passwords need argon2id. */
export const sha256 = (value: string): Buffer => createHash('sha256').update(value, 'utf8').digest();

/** Compares without telling by its time where two values differ. Lengths are not secret. */
export function equalInConstantTime(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

/** CRC-32 (IEEE) of `text` in base 62, left-padded to six characters. */
export function checksum(text: string): string {
  let rest = crc32(text);
  let out = '';
  while (rest > 0) {
    out = ALPHABET[rest % 62] + out;
    rest = Math.floor(rest / 62);
  }
  return out.padStart(CHECKSUM_LENGTH, '0');
}

/** `prefix`, 30 random base-62 characters (178 bits), and their checksum: the shape of every secret that we issue. */
export function issueSecret(prefix: string): Secret {
  let random = '';
  for (let i = 0; i < RANDOM_LENGTH; i++) random += ALPHABET[randomInt(ALPHABET.length)];
  return new Secret(prefix + random + checksum(random));
}

/** Whether `value` has that shape and its checksum is right. Says nothing of whether we ever issued it. */
export function hasSecretShape(prefix: string, value: string): boolean {
  if (!value.startsWith(prefix)) return false;
  const body = value.slice(prefix.length);
  return (
    /^[0-9A-Za-z]{36}$/.test(body) && checksum(body.slice(0, RANDOM_LENGTH)) === body.slice(RANDOM_LENGTH)
  );
}
