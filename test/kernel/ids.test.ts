import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isId, newId } from '../../src/kernel/ids.ts';

describe('a new id', () => {
  test('is its prefix and 26 lower-case characters', () => {
    expect(newId('prm')).toMatch(/^prm_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  test('never comes twice, also in the same millisecond', () => {
    const now = new Date();
    expect(new Set(Array.from({ length: 10_000 }, () => newId('evt', now))).size).toBe(10_000);
  });

  test('sorts after every id of an earlier millisecond', () => {
    const milliseconds = fc.integer({ min: 0, max: Date.UTC(2200, 0) });
    fc.assert(
      fc.property(milliseconds, milliseconds, (a, b) => {
        fc.pre(a < b);
        expect(newId('prm', new Date(a)) < newId('prm', new Date(b))).toBe(true);
      }),
    );
  });
});

describe('isId', () => {
  test('knows every id of its own prefix', () => {
    expect(isId('key', newId('key'))).toBe(true);
  });

  test.each([
    ['an id of another kind', newId('org')],
    ['an id with a longer prefix', `x${newId('key')}`],
    ['one that is too short', newId('key').slice(0, -1)],
    ['one that is too long', `${newId('key')}0`],
    ['one with a line break behind', `${newId('key')}\n`],
    ['one with a NUL', newId('key').replace(/.$/, '\0')],
    ['upper case', newId('key').toUpperCase()],
    ['the prefix alone', 'key_'],
    ['an array with an id', [newId('key')]],
    ['nothing', undefined],
  ])('refuses %s', (_, value) => {
    expect(isId('key', value)).toBe(false);
  });
});
