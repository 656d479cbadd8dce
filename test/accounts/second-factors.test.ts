import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { callbackOf, credentialsOf, tokenRequest, walk } from '../oauth/support.ts';
import { describeWith } from '../support/needs.ts';
import { addPeople, type Person } from '../support/people.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { type ServerProcess, startServer } from '../support/server-process.ts';
import { authorizationUrl, claimsOf, pkce } from '../support/site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';
import { ageSessions, answerStep, codeOf, recoveryCodesOn, setUpTotp } from './second-factor-support.ts';
import { isSignedIn, mailedLink, mailTo, signIn } from './support.ts';

const PEOPLE = [
  'ada',
  'oauth',
  'twice',
  'racing',
  'guessed',
  'recovering',
  'renewing',
  'resetting',
  'halfway',
  'removing',
  'dumped',
] as const;
const NEXT = 'another horse battery staple';

describeWith('postgresql', 'The second step of a sign-in', () => {
  let site: PreparedSite<Record<(typeof PEOPLE)[number], Person>>;
  let second: ServerProcess;
  let agent: UserAgent;

  beforeAll(async () => {
    site = await startPreparedSite('postgresql', (services, made) =>
      addPeople(services, made, PEOPLE, 'member'),
    );
    second = await startServer(site.env);
  }, 120_000);

  afterAll(async () => {
    await second?.stop();
    await site?.stop();
  });

  beforeEach(() => {
    agent = createUserAgent(site.server.url);
  });

  /** As if no code had been used yet, so that a test needn't wait for the next one. */
  const forgetUsedCodes = (person: Person) =>
    site.services.database.sql()('totp_factors').where({ user_id: person.id }).update({ last_step: 0 });

  describe('an authenticator app (RFC 6238)', () => {
    test('is set up with a code that it shows; the others are signed out, and recovery codes are shown once', async () => {
      const { ada } = site.extra;
      const other = (await signIn(site.server, ada)).agent;
      await signIn(site.server, ada, agent);
      const form = await agent.open('/account/security/totp');
      expect(form.html).toContain('src="data:image/svg+xml;base64,');
      const wrong = await agent.submit(form, { code: '000000' }, '/totp');
      expect(wrong.status).toBe(422);
      expect(wrong.html).toContain('id="code-error"');
      expect(await isSignedIn(other, ada.email)).toBe(true);

      const { page, recoveryCodes } = await setUpTotp(site, ada, agent);
      expect(new Set(recoveryCodes).size).toBe(10);
      expect(page.headers.get('cache-control')).toBe('no-store');
      expect(await isSignedIn(other, ada.email)).toBe(false);
      expect(await isSignedIn(agent, ada.email)).toBe(true);
      const overview = await agent.open('/account/security');
      expect(overview.html).toContain('10 of 10 left');
      expect(recoveryCodesOn(overview)).toEqual([]);
      expect((await mailTo(site.server, ada.email))[0]?.text).toContain('new way to sign in was added');
    });

    test('is asked before a session begins; a wrong code begins none', async () => {
      const { ada } = site.extra;
      await forgetUsedCodes(ada);
      const { page } = await signIn(site.server, ada, agent);
      expect(page.html).toContain('Second step');
      expect(await isSignedIn(agent, ada.email)).toBe(false);
      const wrong = await answerStep(agent, page, '000000');
      expect(wrong.status).toBe(401);
      expect(await isSignedIn(agent, ada.email)).toBe(false);
      expect((await answerStep(agent, page, 'a'.repeat(10))).status).toBe(401);
    });

    test('RFC 8176: is asked in an authorization too, and stands in the id_token as amr', async () => {
      const { oauth } = site.extra;
      const { secret } = await setUpTotp(site, oauth, createUserAgent(site.server.url));
      const { verifier, challenge } = pkce();
      const url = authorizationUrl(site, challenge, { scope: 'openid prompts:read' });
      const { end } = await walk(agent, url, oauth);
      expect(end.html).toContain('Second step');
      const consent = await answerStep(agent, end, codeOf(secret));
      const allowed = await agent.submit(consent, { decision: 'allow', scope: ['prompts:read'] }, '/consent');
      const { web } = site.made.apps;
      const { body } = await tokenRequest(site, {
        grant_type: 'authorization_code',
        ...credentialsOf(web),
        redirect_uri: web.redirectUris[0] as string,
        code: callbackOf({ end: allowed, signedIn: true }).get('code') ?? '',
        code_verifier: verifier,
      });
      expect(claimsOf(String(body['id_token']))['amr']).toEqual(['pwd', 'otp', 'mfa']);
    });

    test('RFC 6238 §5.2: a code is good once, and none of an earlier step after it', async () => {
      const { twice } = site.extra;
      const { secret } = await setUpTotp(site, twice, createUserAgent(site.server.url));
      await forgetUsedCodes(twice);
      const [now, earlier] = [codeOf(secret), codeOf(secret, -1)];
      const first = await answerStep(agent, (await signIn(site.server, twice, agent)).page, now);
      expect(first.status).toBe(200);
      for (const code of [now, earlier]) {
        const browser = createUserAgent(site.server.url);
        const again = await answerStep(browser, (await signIn(site.server, twice, browser)).page, code);
        expect(again.status).toBe(401);
        expect(await isSignedIn(browser, twice.email)).toBe(false);
      }
    });

    test('one code at eight places at once, on two processes, signs in once', async () => {
      const { racing } = site.extra;
      const { secret } = await setUpTotp(site, racing, agent);
      await forgetUsedCodes(racing);
      const ready = await Promise.all(
        Array.from({ length: 8 }, async (_, i) => {
          const server = i % 2 === 0 ? site.server : second;
          const browser = createUserAgent(server.url);
          return { browser, page: (await signIn(server, racing, browser)).page };
        }),
      );
      const code = codeOf(secret);
      const answers = await Promise.all(ready.map(({ browser, page }) => answerStep(browser, page, code)));
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, ...Array(7).fill(401)]);
    });

    test('guesses are limited by account, and lock no browser out that signed in before', async () => {
      const { guessed } = site.extra;
      const known = createUserAgent(site.server.url);
      const { secret } = await setUpTotp(site, guessed, known);
      await forgetUsedCodes(guessed);
      const { page } = await signIn(site.server, guessed, agent);
      const statuses: number[] = [];
      for (let i = 0; i < 11; i++) statuses.push((await answerStep(agent, page, `00000${i % 10}`)).status);
      expect(statuses.slice(0, 10)).toEqual(Array(10).fill(401));
      expect(statuses[10]).toBe(429);
      const right = await answerStep(agent, page, codeOf(secret));
      expect(right.status).toBe(429);
      expect(right.headers.get('retry-after')).toMatch(/^\d+$/);

      await known.submit(await known.open('/logout'), {}, '/logout');
      const owner = await answerStep(known, (await signIn(site.server, guessed, known)).page, codeOf(secret));
      expect(owner.status).toBe(200);
      expect(await isSignedIn(known, guessed.email)).toBe(true);
    });
  });

  describe('a recovery code', () => {
    test('stands in for the second step once, whoever asks at once, however it is written; its owner is told', async () => {
      const { recovering } = site.extra;
      const { recoveryCodes } = await setUpTotp(site, recovering, createUserAgent(site.server.url));
      const typed = ` ${recoveryCodes[0]?.toUpperCase().replace('-', ' ')}`;
      const ready = await Promise.all(
        [site.server, second, site.server, second].map(async (server) => {
          const browser = createUserAgent(server.url);
          return { browser, page: (await signIn(server, recovering, browser)).page };
        }),
      );
      const answers = await Promise.all(ready.map(({ browser, page }) => answerStep(browser, page, typed)));
      expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 401, 401, 401]);
      expect((await mailTo(site.server, recovering.email, 2))[1]?.text).toContain('recovery codes');
    });

    test('is void once new ones are made', async () => {
      const { renewing } = site.extra;
      const { recoveryCodes } = await setUpTotp(site, renewing, agent);
      const renewed = await agent.submit(await agent.open('/account/security'), {}, '/recovery-codes');
      const codes = recoveryCodesOn(renewed);
      expect(codes).toHaveLength(10);
      const browser = createUserAgent(site.server.url);
      const step = (await signIn(site.server, renewing, browser)).page;
      expect((await answerStep(browser, step, recoveryCodes[1] ?? '')).status).toBe(401);
      expect((await answerStep(browser, step, codes[0] ?? '')).status).toBe(200);
    });
  });

  describe('nothing goes around the second step', () => {
    test('a reset of the password begins no session, and the sign-in after it asks for the code', async () => {
      const { resetting } = site.extra;
      await setUpTotp(site, resetting, createUserAgent(site.server.url));
      await agent.submit(await agent.open('/forgot-password'), { email: resetting.email });
      const mails = await mailTo(site.server, resetting.email, 2);
      const link = mails.flatMap(({ links }) => links).find((url) => url.includes('/reset-password')) ?? '';
      const done = await agent.submit(await agent.open(link), { password: NEXT });
      expect(done.html).toContain('changed');
      expect(await isSignedIn(agent, resetting.email)).toBe(false);
      const { page } = await signIn(site.server, { ...resetting, password: NEXT }, agent);
      expect(page.html).toContain('Second step');
      expect(await isSignedIn(agent, resetting.email)).toBe(false);
    });

    test('a first step with a password that was changed meanwhile is void', async () => {
      const { halfway } = site.extra;
      const { secret } = await setUpTotp(site, halfway, createUserAgent(site.server.url));
      await forgetUsedCodes(halfway);
      const { page } = await signIn(site.server, halfway, agent);
      const owner = createUserAgent(site.server.url);
      await owner.submit(await owner.open('/forgot-password'), { email: halfway.email });
      const link = await mailedLink(site.server, halfway.email, 2);
      await owner.submit(await owner.open(link), { password: NEXT });
      const late = await answerStep(agent, page, codeOf(secret));
      expect(late.status).toBe(401);
      expect(await isSignedIn(agent, halfway.email)).toBe(false);
    });

    test('a first step that we did not seal is none', async () => {
      const login = await agent.open('/login');
      const forged = await agent.submit(
        login,
        { step: 'code', pending: 'AQ'.repeat(60), code: '000000' },
        '/login',
      );
      expect(forged.status).toBe(401);
      expect(forged.html).toContain('Sign in again');
    });

    test('removing it needs a fresh proof with both steps, and ends the recovery codes', async () => {
      const { removing } = site.extra;
      const { secret, recoveryCodes } = await setUpTotp(site, removing, agent);
      await forgetUsedCodes(removing);
      await ageSessions(site, removing.id, 601);
      for (const path of ['/account/security/totp/remove', '/account/security/passkeys', '/account/email']) {
        expect((await agent.open(path)).url).toContain('/account/confirm?returnTo=');
      }
      const confirm = await agent.open('/account/security/totp/remove');
      expect(confirm.html).not.toContain('name="email"');
      const step = await agent.submit(confirm, { password: removing.password }, '/confirm');
      expect(step.html).toContain('Second step');
      expect((await agent.open('/account/security/totp/remove')).url).toContain('/account/confirm');
      const page = await answerStep(agent, step, codeOf(secret));
      expect(page.url).toContain('/account/security/totp/remove');
      await agent.submit(page, {}, '/remove');
      expect((await signIn(site.server, removing)).page.html).not.toContain('Second step');
      const { rows } = await site.services.database
        .sql()
        .raw<{ rows: unknown[] }>('SELECT 1 FROM recovery_codes WHERE user_id = ?', [removing.id]);
      expect(rows).toEqual([]);
      expect(recoveryCodes).toHaveLength(10);
    });

    test('the proof is of the person who is signed in: another account does not count', async () => {
      const { removing, dumped } = site.extra;
      await signIn(site.server, removing, agent);
      await ageSessions(site, removing.id, 601);
      const confirm = await agent.open('/account/password');
      const wrong = await agent.submit(
        confirm,
        { email: dumped.email, password: 'not their password at all' },
        '/confirm',
      );
      expect(wrong.status).toBe(401);
      expect((await agent.open('/account/password')).url).toContain('/account/confirm');
    });
  });

  test('a thief of the database has neither the secret nor a recovery code', async () => {
    const { dumped } = site.extra;
    const { secret, recoveryCodes } = await setUpTotp(site, dumped, agent);
    const { rows } = await site.services.database.sql().raw<{ rows: { row: string }[] }>(
      `SELECT t::text AS row FROM totp_factors t UNION ALL SELECT r::text FROM recovery_codes r
     UNION ALL SELECT o::text FROM oauth_records o UNION ALL SELECT a::text FROM audit_events a`,
    );
    const dump = rows.map(({ row }) => row).join('\n');
    const hex = (text: string) => Buffer.from(text).toString('hex');
    for (const canary of [secret, ...recoveryCodes, ...recoveryCodes.map((code) => code.replace('-', ''))]) {
      expect(dump).not.toContain(canary);
      expect(dump).not.toContain(hex(canary));
    }
  });
});
