import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Eta } from 'eta';
import { createAssetUrls } from './assets.ts';
import type { Pages, Shared } from './pages.ts';

export { loadAssets } from './assets.ts';

export type Views = {
  /** A whole page as HTML, with everything in it escaped. */
  render<P extends keyof Pages>(page: P, data: Pages[P], shared: Shared): string;
};

const FOLDER = import.meta.dirname;

/** What pages with a passkey's button load. */
const PASSKEY_SCRIPTS = ['index.umd.min.js', 'passkeys.js'];

/**
 * All templates are read and compiled here, so that a broken one stops the start and no request waits for the
 * disk. In a template `it.page` is the page's own data, `it.shared` what every page gets; what a partial is
 * given stands beside them, as in `it.field`.
 */
export function createViews(): Views {
  const eta = new Eta({
    views: FOLDER,
    cache: true,
    autoFilter: true,
    filterFunction: printable,
    escapeFunction: escapeHtml,
  });
  for (const file of readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.eta')) continue;
    const filepath = path.join(FOLDER, file);
    eta.templatesSync.define(
      filepath,
      eta.compile(readFileSync(filepath, 'utf8'), { async: false, filepath }),
    );
  }
  const helpers = {
    asset: createAssetUrls(),
    https,
    initial,
    host,
    utc,
    number,
    passkeyScripts: PASSKEY_SCRIPTS,
  };
  return { render: (page, data, shared) => eta.render(page, { ...helpers, page: data, shared }) };
}

/** Templates aren't type-checked: a value that is missing fails here and never reaches a page as "undefined". */
function printable(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new TypeError(`A template would print a value of type ${typeof value}`);
}

// Characters that reorder the text around them (U+202A–E, U+2066–9): with one in its name an app can pass for
// another. The templates put names in <bdi> besides, against what right-to-left letters alone can do.
const REORDERING = /[\u202a-\u202e\u2066-\u2069]/g;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escapeHtml = (value: unknown): string =>
  String(value)
    .replace(REORDERING, '')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

/** The URL when it is https; no page links to, or loads, anything else that an app's developer typed in. */
const https = (url: string | undefined): string | undefined =>
  url?.startsWith('https://') ? url : undefined;

/** The first letter of a name, for the tile that stands where there is no logo. */
const initial = (name: string): string => /[\p{L}\p{N}]\p{M}*/u.exec(name)?.[0].toUpperCase() ?? '#';

const host = (url: string): string => URL.parse(url)?.host ?? url;

const UTC = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'medium', timeStyle: 'short' });
const UTC_DAY = new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', dateStyle: 'medium' });

/** A time as those read it who have no script: in UTC, and saying so. */
const utc = (iso: string, day = false): string =>
  day ? UTC_DAY.format(new Date(iso)) : `${UTC.format(new Date(iso))} UTC`;

/** 12,345 */
const number = (value: number): string => new Intl.NumberFormat('en').format(value);
