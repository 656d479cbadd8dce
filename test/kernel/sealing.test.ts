import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSealer } from '../../src/kernel/sealing.ts';

const key = randomBytes(32);
const sealer = createSealer(key);

describe('a sealed value', () => {
  test('opens to what was sealed, for any text and context', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (plain, context) => {
        expect(sealer.open(sealer.seal(plain, context), context)).toBe(plain);
      }),
    );
  });

  test('still opens in another process with the same key', () => {
    expect(createSealer(Buffer.from(key)).open(sealer.seal('plain', 'row-1'), 'row-1')).toBe('plain');
  });

  test('does not contain what was sealed, and is another each time', () => {
    const sealed = sealer.seal('a rather plain secret', 'row-1');
    expect(sealed.includes('plain')).toBe(false);
    expect(sealed.equals(sealer.seal('a rather plain secret', 'row-1'))).toBe(false);
  });

  test('does not open when any one bit of it was changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(7), (at, bit) => {
        const sealed = sealer.seal('a value of some length', 'row-1');
        const position = at % sealed.length;
        sealed.writeUInt8(sealed.readUInt8(position) ^ (1 << bit), position);
        expect(() => sealer.open(sealed, 'row-1')).toThrow(/authenticate data|unknown version/);
      }),
      { numRuns: 500 },
    );
  });

  test('does not open when cut short', () => {
    const sealed = sealer.seal('a value', 'row-1');
    for (let length = 0; length < sealed.length; length++) {
      expect(() => sealer.open(sealed.subarray(0, length), 'row-1')).toThrow(
        /authenticate data|unknown version/,
      );
    }
  });

  test("does not open in another row's place", () => {
    expect(() => sealer.open(sealer.seal('a value', 'row-1'), 'row-2')).toThrow(
      /authenticate data|unknown version/,
    );
  });

  test('does not open with another key', () => {
    expect(() => createSealer(randomBytes(32)).open(sealer.seal('a value', 'row-1'), 'row-1')).toThrow(
      /authenticate data|unknown version/,
    );
  });
});

describe('a keyed hash', () => {
  test('is the same for the same value and context, and another for any other', () => {
    const mac = sealer.mac('BCDF-GHJK', 'user-code');
    expect(mac).toHaveLength(32);
    expect(sealer.mac('BCDF-GHJK', 'user-code').equals(mac)).toBe(true);
    expect(sealer.mac('BCDF-GHJL', 'user-code').equals(mac)).toBe(false);
    expect(sealer.mac('BCDF-GHJK', 'csrf').equals(mac)).toBe(false);
    expect(createSealer(randomBytes(32)).mac('BCDF-GHJK', 'user-code').equals(mac)).toBe(false);
  });

  test('keeps value and context apart: moving characters from one to the other changes it', () => {
    expect(sealer.mac('bc', 'a').equals(sealer.mac('c', 'ab'))).toBe(false);
  });

  test('is not made with SECRET_KEY itself, nor with the key of another purpose', () => {
    const mac = sealer.mac('value', 'context');
    for (const other of [key, sealer.deriveKey('seal'), sealer.deriveKey('cookies')]) {
      expect(createHmac('sha256', other).update('context\0value').digest().equals(mac)).toBe(false);
    }
  });
});

test('a derived key is 32 bytes and belongs to its purpose', () => {
  expect(sealer.deriveKey('cookies')).toHaveLength(32);
  expect(sealer.deriveKey('cookies').equals(sealer.deriveKey('cookies'))).toBe(true);
  expect(sealer.deriveKey('cookies').equals(sealer.deriveKey('other'))).toBe(false);
});

test.each([0, 16, 31, 33, 64])('a SECRET_KEY of %i bytes is refused', (length) => {
  expect(() => createSealer(Buffer.alloc(length))).toThrow(/32 bytes/);
});
