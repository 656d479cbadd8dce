import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core';
import { launchBrowser, openPage, typePassword } from '../support/browser.ts';
import { describeWith } from '../support/needs.ts';
import { addPerson, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';

describeWith('chromium', 'A passkey in Chromium (WebAuthn Level 3)', () => {
  describeWith('postgresql', 'with a server on PostgreSQL', walkThrough);
});

function walkThrough(): void {
  let site: PreparedSite<{ ada: Person }>;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let authenticator: { cdp: CDPSession; id: string };
  const violations: string[] = [];

  beforeAll(async () => {
    site = await startPreparedSite('postgresql', async (services, made) => {
      const membership = { organizationId: made.organization.id, role: 'member' } as const;
      return { ada: await addPerson(services, 'ada@example.com', [membership], 'Ada') };
    });
    browser = await launchBrowser();
    context = await browser.newContext();
    page = await openPage(context, violations);
    authenticator = await addAuthenticator(page);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  const url = (path: string) => new URL(path, site.server.url).href;

  const signOut = async () => {
    await page.goto(url('/logout'));
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'You are signed out' }).waitFor();
  };

  const signIn = async () => {
    await page.goto(url('/login?returnTo=/account/security'));
    await typePassword(page, site.extra.ada);
  };

  test('is added to an account, with recovery codes for who loses it', async () => {
    await signIn();
    await page.getByRole('link', { name: 'Add a passkey' }).click();
    await page.getByLabel(/^Name/).fill('Test key');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor();
    expect(await page.locator('.codes li').count()).toBe(10);
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.getByRole('button', { name: 'Copy all' }).click();
    expect(await page.evaluate('navigator.clipboard.readText()')).toMatch(/^(\S{5}-\S{5}\n){9}\S{5}-\S{5}$/);
    await page.getByRole('link', { name: 'I have kept them' }).click();
    await page.getByText('Test key', { exact: true }).first().waitFor();
  }, 60_000);

  test('the same device is not added twice', async () => {
    await page.getByRole('link', { name: 'Add a passkey' }).click();
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('has a passkey for your account already').waitFor();
    await page.goto(url('/account/security'));
    expect(await page.getByRole('link', { name: /Remove/ }).count()).toBe(1);
  }, 60_000);

  test('signs in without a password, when it verifies its person, and its answer is good once', async () => {
    await signOut();
    await page.goto(url('/login?returnTo=/account/security'));
    const posted = page.waitForRequest((request) => request.method() === 'POST');
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'Sign-in methods' }).waitFor();
    const request = await posted;
    const headers = await request.allHeaders();
    // Without this the key's own counter would give the replay away: many passkeys have none.
    await site.services.database.sql()('passkeys').update({ sign_count: 0 });
    const replayed = await fetch(request.url(), {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Cookie: headers['cookie'] ?? '',
        Accept: 'text/html',
      },
      body: request.postData() ?? '',
    });
    expect(replayed.status).toBe(401);
  }, 60_000);

  test('is the second step after the password', async () => {
    await signOut();
    await signIn();
    await page.getByRole('heading', { name: 'Second step' }).waitFor();
    await page.goto(url('/account'));
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Sign in'); // no session yet
    await signIn();
    await page.getByRole('button', { name: 'Use a passkey' }).click();
    await page.getByRole('heading', { name: 'Sign-in methods' }).waitFor();
  }, 60_000);

  test('one that does not verify its person signs nobody in by itself', async () => {
    await signOut();
    const { cdp, id } = authenticator;
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: false });
    await page.goto(url('/login'));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('Nothing was chosen').waitFor();
    expect(page.url()).toBe(url('/login'));
    await cdp.send('WebAuthn.setUserVerified', { authenticatorId: id, isUserVerified: true });
  }, 60_000);

  test('is renamed, and not to nothing', async () => {
    await page.goto(url('/login?returnTo=/account/security'));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('link', { name: 'Rename Test key' }).click();
    await page.getByLabel('Name').fill('   ');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Use 1 to 100 characters on one line.').waitFor();
    await page.getByLabel('Name').fill('Blue key');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('The passkey has its new name.').waitFor();
    expect(await page.locator('.lines-what h3').allTextContents()).toEqual(['Blue key']);
    await signOut();
  }, 60_000);

  test('a removed one opens nothing', async () => {
    await page.goto(url('/login?returnTo=/account/security'));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('link', { name: /Remove Blue key/ }).click();
    await page.getByRole('button', { name: 'Remove' }).click();
    await page.getByText('You have no passkey yet.').waitFor();
    await signOut();
    await page.goto(url('/login'));
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByText('This passkey could not be used here').waitFor();
    expect(violations).toEqual([]);
  }, 60_000);
}

/** A device of the browser's own making, that always says yes. */
async function addAuthenticator(page: Page): Promise<{ cdp: CDPSession; id: string }> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return { cdp, id: authenticatorId };
}
