import { createAuditLog } from '../../adapters/database/audit.ts';
import type { Database } from '../../adapters/database/database.ts';
import { createOutbox } from '../../adapters/database/webhook-outbox.ts';
import { createSafeFetch } from '../../adapters/http/safe-fetch.ts';
import { createMailer } from '../../adapters/mail/mailer.ts';
import { developmentSecretKey } from '../../adapters/secret-key.ts';
import type { Config } from '../../config/config.ts';
import { createBackground } from '../kernel/background.ts';
import { systemClock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/log.ts';
import { createSealer } from '../kernel/sealing.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { createPublisher } from '../webhooks/envelope.ts';
import { alsoTelling } from '../webhooks/event.ts';

export type Foundation = ReturnType<typeof openFoundation>;

/** What every feature stands on: time, metrics, secrets, transactions, the audit log, mail, and requests to the outside. */
export function openFoundation(config: Config, logger: Logger, database: Database, metrics: Metrics) {
  const clock = systemClock;
  const publish = createPublisher({
    outbox: createOutbox(database),
    clock,
    countQueued: metrics.deliveries.queued,
  });
  const urlRules = { allowLoopback: !config.production };
  return {
    config,
    logger,
    metrics,
    clock,
    sealer: createSealer(config.secretKey ?? developmentSecretKey(config.dataDir)),
    database,
    transaction: database.transaction,
    publish,
    audit: alsoTelling(createAuditLog(database), publish),
    background: createBackground(logger),
    sendMail: createMailer({ smtpUrl: config.smtpUrl, dataDir: config.dataDir, from: config.mailFrom }),
    urlRules,
    safeFetch: createSafeFetch(urlRules),
  };
}
