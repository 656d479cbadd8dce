import { format, inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checksum,
  equalInConstantTime,
  hasSecretShape,
  issueSecret,
  Secret,
  sha256,
} from '../../src/kernel/secret.ts';

const BASE62 = Array.from('0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
const base62 = (length: number) =>
  fc.array(fc.constantFrom(...BASE62), { minLength: length, maxLength: length }).map((list) => list.join(''));

describe('the checksum of a secret', () => {
  // Computed with Python's zlib.crc32: another implementation of the same promise to secret scanners.
  test.each([
    ['123456789', '3jZRME'],
    ['abcdefghijklmnopqrstuvwxyz0123', '2LolCm'],
    ['000000000000000000000000000405', '00azb7'],
  ])('of %s is %s', (text, expected) => {
    expect(checksum(text)).toBe(expected);
  });

  test('is always six characters of base 62', () => {
    fc.assert(fc.property(fc.string(), (text) => /^[0-9A-Za-z]{6}$/.test(checksum(text))));
  });
});

describe('an issued secret', () => {
  test('has the documented shape: its prefix, 30 random characters, 6 of checksum', () => {
    for (const prefix of ['pr_live_', 'pr_test_', 'rt_']) {
      const value = issueSecret(prefix).reveal();
      expect(value).toMatch(new RegExp(`^${prefix}[0-9A-Za-z]{36}$`));
      expect(hasSecretShape(prefix, value)).toBe(true);
    }
  });

  test('draws on the whole alphabet, and never comes twice', () => {
    const bodies = Array.from({ length: 500 }, () => issueSecret('').reveal().slice(0, 30));
    expect(new Set(bodies).size).toBe(500);
    expect(new Set(bodies.join(''))).toEqual(new Set(BASE62));
  });

  test('is refused under another prefix', () => {
    expect(hasSecretShape('pr_test_', issueSecret('pr_live_').reveal())).toBe(false);
  });

  test('is refused when any one of its characters is another', () => {
    fc.assert(
      fc.property(fc.nat(35), fc.constantFrom(...BASE62), (position, character) => {
        const body = issueSecret('').reveal();
        fc.pre(body[position] !== character);
        return !hasSecretShape('', body.slice(0, position) + character + body.slice(position + 1));
      }),
    );
  });

  test('is refused when shortened, lengthened, or given what is not base 62', () => {
    const value = issueSecret('pr_live_').reveal();
    for (const other of [
      value.slice(0, -1),
      `${value}0`,
      `${value}\n`,
      ` ${value}`,
      value.toLowerCase(),
      '',
      'pr_live_',
    ]) {
      expect(hasSecretShape('pr_live_', other)).toBe(false);
    }
  });

  test('is accepted exactly when its last six characters are the checksum of the thirty before', () => {
    fc.assert(
      fc.property(base62(30), base62(6), (random, ending) => {
        expect(hasSecretShape('x_', `x_${random}${checksum(random)}`)).toBe(true);
        expect(hasSecretShape('x_', `x_${random}${ending}`)).toBe(ending === checksum(random));
      }),
    );
  });
});

describe('a Secret', () => {
  const secret = new Secret('hunter2');

  test.each([
    ['a template', () => `${secret}`],
    ['concatenation', () => 'the key is ' + secret],
    ['JSON', () => JSON.stringify({ secret, list: [secret] })],
    ['inspect', () => inspect({ secret }, { showHidden: true, depth: null })],
    ['a format string', () => format('%s %j %o %O', secret, secret, secret, secret)],
    ['its keys and values', () => JSON.stringify(Object.entries(secret))],
    ['an error that carries it', () => inspect(new Error(`failed for ${secret}`, { cause: secret }))],
  ])('does not show itself through %s', (_, print) => {
    expect(print()).not.toContain('hunter2');
  });

  test('gives its value to reveal() alone', () => {
    expect(secret.reveal()).toBe('hunter2');
  });
});

test('sha256 gives the digest of the UTF-8 bytes (FIPS 180-4, "abc")', () => {
  expect(sha256('abc').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('equalInConstantTime is equality, and false rather than an error for other lengths', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      expect(equalInConstantTime(Buffer.from(a), Buffer.from(b))).toBe(Buffer.from(a).equals(b));
      expect(equalInConstantTime(Buffer.from(a), Buffer.from(a))).toBe(true);
    }),
  );
});
