import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { chromiumBinary } from './services.ts';

const FLAGS = [
  '--no-sandbox', // containers, and root
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** The machine's Chromium, without a window. Use it inside `describeWith('chromium', …)` and close it. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = chromiumBinary();
  if (executablePath === undefined) throw new Error('Chromium is not installed');
  return await chromium.launch({ executablePath, args: FLAGS });
}

/** A page; what its content security policy forbids is added to `violations`. */
export async function openPage(context: BrowserContext, violations: string[]): Promise<Page> {
  const page = await context.newPage();
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  return page;
}

/** Fills the form of the sign-in page that is open. */
export async function typePassword(page: Page, person: { email: string; password: string }): Promise<void> {
  await page.getByLabel('E-mail').fill(person.email);
  await page.getByLabel('Password').fill(person.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}
