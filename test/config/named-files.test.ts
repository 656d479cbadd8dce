import { existsSync, globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from '@jest/globals';

const ROOT = path.resolve(import.meta.dirname, '../..');
const DOCUMENTS = globSync(['*.md', 'docs/**/*.md', 'src/*/README.md', 'adapters/*/README.md'], {
  cwd: ROOT,
});

/** Where a name may lead from: the repository, `src/`, and the document's own folder. */
const leadsSomewhere = (document: string, name: string): boolean =>
  ['.', 'src', path.dirname(document)].some((folder) => existsSync(path.join(ROOT, folder, name)));

/** What a document names as a file of the code or a folder, in its running text. */
const namesIn = (text: string): string[] =>
  [...text.matchAll(/`([\w@-][\w./-]*(?:\.(?:ts|eta|css)|\/))`/g)].map(([, name]) => name as string);

test.each(DOCUMENTS.map((document) => [document]))('%s names no file or folder that is gone', (document) => {
  const names = namesIn(readFileSync(path.join(ROOT, document), 'utf8'));
  expect(names.filter((name) => !leadsSomewhere(document, name))).toEqual([]);
});

test('every folder of src says in a few lines what goes through it', () => {
  const folders = globSync('src/*/', { cwd: ROOT });
  expect(folders.length).toBeGreaterThan(10);
  const lengths = folders.map((folder) => {
    const readme = path.join(ROOT, folder, 'README.md');
    return { folder, fits: existsSync(readme) && readFileSync(readme, 'utf8').split('\n').length <= 20 };
  });
  expect(lengths.filter(({ fits }) => !fits)).toEqual([]);
});
