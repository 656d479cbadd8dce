import { createAlertMailing } from '../alerts/mailing.ts';
import { createOutsideUses } from '../alerts/outside-uses.ts';
import { createRaise } from '../alerts/raise.ts';
import { startAlerts } from '../alerts/service.ts';
import { createWatch } from '../alerts/watch.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** Alerts: raised by whoever sees something, looked for, and mailed to the administrators. */
export function alertServices(foundation: Foundation, { alerts, alertMails, alertReads }: Stores) {
  const { config, logger, metrics, clock, transaction, publish, sendMail } = foundation;
  const raiseAlert = createRaise({ alerts, publish, transaction, clock });
  const lookForAlerts = createWatch({ reads: alertReads, raise: raiseAlert, clock, logger });
  const mailAlerts = createAlertMailing({
    mails: alertMails,
    sendMail,
    count: metrics.countAlertMail,
    webUrl: config.webUrl,
    logger,
  });
  return {
    raiseAlert,
    outsideUses: createOutsideUses({ raise: raiseAlert, clock, logger }),
    /** Newest first; the console's and nobody else's, for now. */
    listAlerts: alerts.list,
    lookForAlerts,
    mailAlerts,
    startAlerts: () => startAlerts({ look: lookForAlerts, mail: mailAlerts, logger }),
  };
}
