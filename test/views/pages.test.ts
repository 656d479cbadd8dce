import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import type { Browser } from 'playwright-core';
import { createViews, loadAssets } from '../../views/views.ts';
import { launchBrowser } from '../support/browser.ts';
import { describeWith } from '../support/needs.ts';
import { shared, variants } from './variants.ts';

const views = createViews();

const pages = new Map(
  Object.entries(variants).map(([name, { page, data, shared: own }]) => [
    name,
    views.render(page, data as never, { ...shared, ...own }),
  ]),
);

describe('Every page, whatever it is given', () => {
  test.each([...pages])(
    '%s has no inline script or style, no bare value, and no reordering character',
    (_, html) => {
      expect(html).not.toMatch(/undefined|\[object|NaN/);
      expect(html).not.toMatch(
        / style=|<style|<script(?! src="\/assets\/[\w.-]+" defer><\/script>)|\son\w+=|javascript:/i,
      );
      expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
      expect(html).toMatch(/<html lang="en"/);
      expect(html).toMatch(/<title>[^<]+<\/title>/);
    },
  );

  test('a form that is posted carries the token', () => {
    const lacking: string[] = [];
    for (const [name, html] of pages) {
      const posts = html.match(/<form[^>]*method="post"/g)?.length ?? 0;
      const tokens = html.match(/name="_csrf"/g)?.length ?? 0;
      const own: object = variants[name]?.shared ?? {};
      if (tokens !== posts && !('csrfToken' in own)) lacking.push(name);
    }
    expect(lacking).toEqual([]);
  });
});

describeWith('chromium', 'Every page in Chromium', () => {
  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const assets = loadAssets();
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const asset = assets.get(request.url ?? '');
      response.setHeader('Content-Type', asset?.type ?? 'text/html; charset=utf-8');
      response.end(asset?.body ?? pages.get(request.url?.slice(1) ?? ''));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    browser = await launchBrowser();
  }, 60_000);

  afterAll(async () => {
    await browser.close();
    server.closeAllConnections();
    server.close();
  });

  const look = [
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 390 },
  ] as const;

  test.each(look)(
    'axe finds nothing, and nothing overflows: $colorScheme at $width px',
    async ({ colorScheme, width }) => {
      const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
      const page = await context.newPage();
      const found: string[] = [];
      for (const name of pages.keys()) {
        await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`);
        const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
        if (Number(overflow) > 0) found.push(`${name}: ${overflow} px too wide`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate<AxeResults>(`axe.run({ resultTypes: ['violations'] })`);
        found.push(...violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes[0]?.target.join(' ')}`));
      }
      await context.close();
      expect(found).toEqual([]);
    },
    300_000,
  );
});
