import { randomBytes } from 'node:crypto';

/** What an id's prefix says it names. Ids are opaque to clients beyond that. */
export type IdPrefix =
  | 'prm'
  | 'ver'
  | 'fld'
  | 'rpt'
  | 'evl'
  | 'dst'
  | 'wh'
  | 'evt'
  | 'dlv'
  | 'org'
  | 'usr'
  | 'key'
  | 'app'
  | 'req'
  | 'aud'
  | 'sec'
  | 'inv'
  | 'grt'
  | 'psk'
  | 'alr';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'; // Crockford's base 32: no i, l, o, u to misread
const RANDOM_CHARACTERS = 16;

/** Random bytes for the ids to come: asking for each id's own costs more than the id. No secret is made from them. */
const POOL_BYTES = 4_096;
let pool = Buffer.alloc(0);
let poolAt = 0;

/**
 * A new id: the prefix, ten characters of milliseconds, and 80 random bits. Ids made later sort later
 * (to the millisecond), which keeps the indexes dense; nothing may rely on the order for meaning.
 */
export function newId<P extends IdPrefix>(prefix: P, now: Date = new Date()): `${P}_${string}` {
  let time = now.getTime();
  let stamp = '';
  for (let i = 0; i < 10; i++) {
    stamp = ALPHABET[time % 32] + stamp;
    time = Math.floor(time / 32);
  }
  if (poolAt + RANDOM_CHARACTERS > pool.length) {
    pool = randomBytes(POOL_BYTES);
    poolAt = 0;
  }
  let random = '';
  for (const end = poolAt + RANDOM_CHARACTERS; poolAt < end; poolAt++)
    random += ALPHABET[(pool[poolAt] as number) & 31];
  return `${prefix}_${stamp}${random}`;
}

/** Whether `value` could be an id with that prefix: lets a lookup of nonsense end before the database. */
export function isId(prefix: IdPrefix, value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(`${prefix}_`) && /^[a-z]+_[0-9a-z]{26}$/.test(value);
}
