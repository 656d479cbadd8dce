import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createViews, loadAssets } from '../../views/views.ts';
import { launchBrowser } from '../support/browser.ts';
import { shared, variants } from './variants.ts';

/*
 * `npm run screenshots [words]`: every page (those whose names hold one of the words) as a picture, in both themes, on a
 * desktop and a phone, into screenshots/, for a person to look at.
 */

const FOLDER = path.resolve('screenshots');
const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

const words = process.argv.slice(2);
const chosen = Object.entries(variants).filter(
  ([name]) => words.length === 0 || words.some((word) => name.includes(word)),
);
const views = createViews();
const pages = new Map(
  chosen.map(([name, { page, data, shared: own }]) => [
    `/${name}`,
    views.render(page, data as never, { ...shared, ...own }),
  ]),
);
const assets = loadAssets();

const server = createServer((request, response) => {
  const asset = assets.get(request.url ?? '');
  response.setHeader('Content-Type', asset?.type ?? 'text/html; charset=utf-8');
  response.end(asset?.body ?? pages.get(request.url ?? ''));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

if (words.length === 0) rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const browser = await launchBrowser();
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ['light', 'dark'] as const) {
    const context = await browser.newContext({ viewport, colorScheme, timezoneId: 'Europe/Berlin' });
    const page = await context.newPage();
    for (const [name] of chosen) {
      await page.goto(`http://127.0.0.1:${port}/${name}`);
      await page.screenshot({
        path: path.join(FOLDER, `${name}-${size}-${colorScheme}.png`),
        fullPage: true,
      });
    }
    await context.close();
  }
}
await browser.close();
server.close();
console.log(`${chosen.length * 4} pictures of ${chosen.length} pages in ${FOLDER}`);
