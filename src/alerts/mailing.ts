import type { SendMail } from '../accounts/mail.ts';
import type { Logger } from '../kernel/log.ts';
import type { Alert } from './alert.ts';
import type { AlertMail, AlertMails } from './alert-mail.ts';
import { describeAlert } from './describe.ts';

/** At once, by one process. */
const MOST = 10;
/** When another process tries, should this one die; longer than the mail server may take to answer. */
const LEASE_SECONDS = 300;
/** Seconds between attempts to hand a mail on: for a day in all, and then it is given up. */
const WAITS = [60, 300, 1_800, 7_200, 21_600, 57_600] as const;
/** A day, to one organization. */
const MOST_OF_DISABLED_WEBHOOKS = 20;

/**
 * Mails what is due to owners and admins, each by themselves. A mail that can't be handed on is tried again for a day. A crash
 * between handing one on and noting it sends that one again, to that reader alone, under the same Message-ID; it
 * loses none. Never rejects for a mail's sake.
 */
export const createAlertMailing = (deps: {
  mails: AlertMails;
  sendMail: SendMail;
  count(result: 'sent' | 'postponed' | 'given_up'): void;
  webUrl: string;
  logger: Logger;
}) => {
  const { mails, webUrl, logger } = deps;

  const send = async (mail: AlertMail): Promise<void> => {
    const { alert, userId, to } = mail;
    try {
      if (to !== undefined) {
        const messageId = `<${alert.id}.${userId}@${new URL(webUrl).hostname}>`;
        await deps.sendMail({ to, messageId, ...alertMail(alert, webUrl) });
        deps.count('sent');
      }
      await mails.drop(mail);
    } catch (error) {
      await putOff(mail, error);
    }
  };

  const putOff = async (mail: AlertMail, cause: unknown): Promise<void> => {
    const about = { err: cause, alertId: mail.alert.id, userId: mail.userId };
    const wait = WAITS[mail.attempts - 1];
    deps.count(wait === undefined ? 'given_up' : 'postponed');
    logger.warn(
      about,
      wait === undefined ? 'an alert’s mail was given up' : 'an alert could not be mailed yet',
    );
    // Should this fail, too, it is due again at the end of its lease.
    await (wait === undefined ? mails.drop(mail) : mails.postpone(mail, wait)).catch((error: unknown) => {
      logger.warn({ ...about, err: error }, 'what became of an alert’s mail could not be written');
    });
  };

  return async (stopping?: AbortSignal): Promise<void> => {
    while ((await mails.address(MOST, MOST_OF_DISABLED_WEBHOOKS)) === MOST && !stopping?.aborted);
    let claimed: AlertMail[];
    do {
      claimed = await mails.claim(MOST, LEASE_SECONDS);
      await Promise.all(claimed.map(send));
    } while (claimed.length === MOST && !stopping?.aborted);
  };
};

function alertMail(alert: Alert, webUrl: string): { subject: string; text: string } {
  const { title, text } = describeAlert({ ...alert, ...withoutLinks(alert) } as Alert);
  return {
    subject: title,
    text: `Hello,\n\n${text}\n\nYour organization's credentials: ${webUrl}/console\n`,
  };
}

/** What a member, or whoever stole a key, typed: a link in a mail of ours would be theirs. */
const withoutLinks = (alert: Alert): Partial<Pick<Alert, 'subjectName' | 'data'>> => ({
  ...(alert.subjectName === undefined ? {} : { subjectName: unlinked(alert.subjectName) }),
  ...(alert.kind === 'webhook_disabled'
    ? { data: { ...alert.data, url: unlinked(new URL(alert.data.url).host) } }
    : {}),
});

/** What mail programs would turn into a link is taken apart. */
const unlinked = (text: string): string =>
  text
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[:/\\@<>"]+/g, ' ')
    .replace(/\.(?=\S)/g, '. ');
