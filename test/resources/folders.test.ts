import { describe, expect, test } from '@jest/globals';
import { placeFault } from '../../src/resources/folders.ts';

const path = (levels: number) => Array.from({ length: levels }, (_, level) => `fld_${level}`);

describe('the place of a folder', () => {
  test.each([
    ['a new one at the top', 0, undefined],
    ['a new one as the tenth level', 9, undefined],
    ['a new one as the eleventh level', 10, 'must leave at most 10 levels of folders'],
  ])('%s', (_name, levels, fault) => {
    expect(placeFault(path(levels))).toBe(fault);
  });

  test('what is in a moved one counts', () => {
    expect(placeFault(path(7), { id: 'fld_moved', height: 3 })).toBeUndefined();
    expect(placeFault(path(8), { id: 'fld_moved', height: 3 })).toMatch(/10 levels/);
  });

  test('is not in itself, directly or further down', () => {
    for (const id of path(3)) expect(placeFault(path(3), { id, height: 1 })).toMatch(/itself/);
  });
});
