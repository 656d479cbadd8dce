import { Secret, TOTP } from 'otpauth';
import type { Person } from '../support/people.ts';
import type { PreparedSite } from '../support/prepared-site.ts';
import type { Page, UserAgent } from '../support/user-agent.ts';
import { signIn } from './support.ts';

const STEP_MS = 30_000;

/** What an authenticator app shows for the secret, some steps from now. */
export const codeOf = (secret: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + steps * STEP_MS });

/** The key that the page of the set-up tells, as an app keeps it. */
const keyOn = (page: Page): string =>
  (/class="totp-key"[^>]*>([^<]+)</.exec(page.html)?.[1] ?? '').replaceAll(' ', '');

export const recoveryCodesOn = (page: Page): string[] =>
  [...page.html.matchAll(/<code>([0-9a-z]{5}-[0-9a-z]{5})<\/code>/g)].map(([, code]) => code ?? '');

/** Signs in and sets up an authenticator app in this browser. */
export async function setUpTotp(
  site: Pick<PreparedSite<unknown>, 'server'>,
  person: Person,
  agent: UserAgent,
): Promise<{ secret: string; recoveryCodes: string[]; page: Page }> {
  await signIn(site.server, person, agent);
  const form = await agent.open('/account/security/totp');
  const secret = keyOn(form);
  const page = await agent.submit(form, { code: codeOf(secret, -1) }, '/totp');
  return { secret, recoveryCodes: recoveryCodesOn(page), page };
}

/** Answers the page of the second step. */
export const answerStep = (agent: UserAgent, page: Page, code: string): Promise<Page & { leftTo?: URL }> =>
  agent.submit(page, { step: 'code', code });

/** As if the person had proved who they are that long ago, in all of their sessions. */
export async function ageSessions(
  { services }: Pick<PreparedSite<unknown>, 'services'>,
  userId: string,
  seconds: number,
): Promise<void> {
  const { database, sealer } = services;
  const records = () => database.sql()('oauth_records').where({ kind: 'Session', user_id: userId });
  for (const { id_hash, sealed } of await records().select<{ id_hash: Buffer; sealed: Buffer }[]>()) {
    const payload = JSON.parse(sealer.open(sealed, 'Session')) as { loginTs: number };
    payload.loginTs -= seconds;
    await records()
      .where({ id_hash })
      .update({ sealed: sealer.seal(JSON.stringify(payload), 'Session') });
  }
}
