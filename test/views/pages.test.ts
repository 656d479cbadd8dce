import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
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
        / style=|<style|<script(?! src="\/assets\/[\w.-]+" defer(?: blocking="render")?><\/script>)|\son\w+=|javascript:/i,
      );
      expect(html).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
      expect(html).toMatch(/<html lang="en"/);
      expect(html).toMatch(/<title>[^<]+<\/title>/);
    },
  );

  test('every template of a page is among them', () => {
    const templates = readdirSync('views', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.eta') && !/^partials|layout|^signed-in/.test(file))
      .map((file) => file.slice(0, -'.eta'.length));
    const shown = new Set<string>(Object.values(variants).map(({ page }) => page));
    expect(templates.filter((template) => !shown.has(template))).toEqual([]);
  });

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
  const assets = loadAssets();
  let server: Server;
  let browser: Browser;
  let scriptsTakeMs = 0;

  beforeAll(async () => {
    server = createServer((request, response) => {
      const asset = assets.get(request.url ?? '');
      response.setHeader('Content-Type', asset?.type ?? 'text/html; charset=utf-8');
      const answer = () => response.end(asset?.body ?? pages.get(request.url?.slice(1) ?? ''));
      if (asset?.type.startsWith('text/javascript')) setTimeout(answer, scriptsTakeMs);
      else answer();
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

  /** Opens pages three at a time, each with `script` in it; gives all that `look` finds, by page. */
  const onEach = async (
    { width, script, names = [...pages.keys()] }: { width: number; script: string; names?: string[] },
    look: (page: Page) => Promise<string[]>,
  ): Promise<string[]> => {
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      reducedMotion: 'reduce', // colours change at once with the theme
      timezoneId: 'Asia/Kolkata',
    });
    await context.addInitScript(script);
    const { port } = server.address() as AddressInfo;
    const left = [...names];
    const found: string[] = [];
    const walk = async () => {
      const page = await context.newPage();
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        await page.goto(`http://127.0.0.1:${port}/${name}`);
        for (const fault of await look(page)) found.push(`${name}: ${fault}`);
      }
    };
    await Promise.all([walk(), walk(), walk()]);
    await context.close();
    return found;
  };

  test.each([1280, 390])(
    'axe finds nothing in either theme, and nothing overflows, at %i px',
    async (width) => {
      scriptsTakeMs = 0;
      const found = await onEach({ width, script: axe.source }, async (page) => {
        const faults: string[] = [];
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          faults.push(...(await violationsOn(page)).map((fault) => `${fault}, in ${colorScheme}`));
        }
        return [...faults, ...(await overflowOf(page))];
      });
      expect(found).toEqual([]);
    },
    300_000,
  );

  test('nor where the menus and tables that can be opened are open', async () => {
    scriptsTakeMs = 0;
    const names = ['console-overview', 'console-usage', 'account-apps'];
    const found = await onEach({ width: 390, script: axe.source, names }, async (page) => {
      await page.evaluate(`for (const one of document.querySelectorAll('details')) one.open = true`);
      return [...(await violationsOn(page)), ...(await overflowOf(page))];
    });
    expect(found).toEqual([]);
  }, 60_000);

  test.each([1280, 390])(
    'nothing moves when scripts come late, at %i px',
    async (width) => {
      scriptsTakeMs = 100;
      const names = [...pages].filter(([, html]) => html.includes('<script')).map(([name]) => name);
      const found = await onEach({ width, script: NOTE_SHIFTS, names }, async (page) => {
        await page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)))');
        return page.evaluate<string[]>('shifts');
      });
      expect(found).toEqual([]);
    },
    120_000,
  );
});

/** Said in few words by the page: all that axe has to say would take longer to bring over than to find. */
const violationsOn = (page: Page): Promise<string[]> =>
  page.evaluate<string[]>(
    `axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
       violations.map(({ id, nodes }) => id + ' at ' + nodes[0].target.join(' ')))`,
  );

async function overflowOf(page: Page): Promise<string[]> {
  const overflow = Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'));
  return overflow > 0 ? [`${overflow} px too wide`] : [];
}

/** What moved by itself, by how much (Layout Instability API). */
const NOTE_SHIFTS = `
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, sources } of list.getEntries())
      shifts.push(value + ' by ' + (sources[0]?.node?.textContent ?? '').trim().slice(0, 40));
  }).observe({ type: 'layout-shift', buffered: true });
`;
