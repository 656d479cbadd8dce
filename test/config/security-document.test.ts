import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DOCUMENT = readFileSync(path.join(ROOT, 'docs/security.md'), 'utf8');

/** A file of tests, and the names of tests in it that follow: `file` “one”, “another”. */
const NAMED = /`(test\/[\w./-]+\.ts)`((?:,? “[^”]+”)+)/g;

test('docs/security.md names tests that there are', () => {
  const named = [...DOCUMENT.matchAll(NAMED)].flatMap(([, file = '', names = '']) =>
    [...names.matchAll(/“([^”]+)”/g)].map(([, name = '']) => ({ file, name })),
  );
  expect(named.length).toBeGreaterThan(80);
  const missing = named.filter(
    ({ file, name }) => !readFileSync(path.join(ROOT, file), 'utf8').includes(name),
  );
  expect(missing).toEqual([]);
  expect(DOCUMENT.replaceAll(NAMED, '')).not.toMatch(/“/); // no name without its file
});

test('every row of docs/security.md says what, how and where', () => {
  const rows = DOCUMENT.split('\n').filter((line) => line.startsWith('|'));
  const incomplete = rows.filter((row) => row.split(' | ').length !== 3 && !/^\|(-+\|)+$/.test(row));
  expect(incomplete).toEqual([]);
});
