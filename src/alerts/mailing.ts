import type { Logger } from '../kernel/log.ts';
import type { Alert, AlertStore } from './alert.ts';
import { describeAlert } from './describe.ts';

const MOST = 20;
/** When somebody else tries, should this process not get through. */
const LEASE_SECONDS = 300;

/**
 * Mails the owners and admins what is due. A mail that fails is tried again by whoever comes by after the lease; so a crash
 * may send one twice, and loses none.
 */
export const createAlertMailing =
  (deps: {
    alerts: Pick<AlertStore, 'claimForMail' | 'mailed'>;
    tellAdmins(organizationId: string, mail: { subject: string; text: string }): Promise<void>;
    webUrl: string;
    logger: Logger;
  }) =>
  async (): Promise<void> => {
    for (const alert of await deps.alerts.claimForMail(MOST, LEASE_SECONDS)) {
      try {
        await deps.tellAdmins(alert.organizationId, alertMail(alert, deps.webUrl));
        await deps.alerts.mailed(alert.id);
      } catch (error) {
        deps.logger.warn({ err: error, alertId: alert.id }, 'an alert could not be mailed yet');
      }
    }
  };

function alertMail(alert: Alert, webUrl: string): { subject: string; text: string } {
  const { title, text } = describeAlert({
    ...alert,
    subjectName: alert.subjectName === undefined ? undefined : unlinked(alert.subjectName),
  });
  return {
    subject: title,
    text: `Hello,\n\n${text}\n\nYour organization's credentials: ${webUrl}/console\n`,
  };
}

/** A name is typed by a member: what mail programs would turn into a link is taken apart. */
const unlinked = (text: string): string =>
  text
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[:/\\@<>"]+/g, ' ')
    .replace(/\.(?=\S)/g, '. ');
