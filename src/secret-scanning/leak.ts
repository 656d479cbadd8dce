import type { Environment } from '../../config/environments.ts';
import type { LeakedSecret } from '../alerts/alert.ts';

/*
 * Secrets of ours that somebody found in public:
 *   POST /secret-scanning/report -> github.ts: is it really GitHub -> report.ts: one transaction a secret
 *   -> the handler of its kind, in the feature that issued it: is it ours, and disarm it -> audit, alert, event
 */

/** What an organization wants done. roll: the secret works for a grace, in which it can be replaced without an outage. */
export type LeakPolicy = { kind: 'revoke' } | { kind: 'roll'; graceSeconds: number };

/** A secret that is ours. `action`: undefined when it opened nothing any more. */
export type Disarmed = {
  /** Undefined where it is nobody's, such as an app's that registered itself: there is nobody to tell. */
  organizationId: string | undefined;
  environment: Environment;
  /** What its owner knows it by. */
  subject: string;
  action: 'revoked' | 'rolled' | undefined;
};

/** Knows one kind of secret. */
export type LeakHandler = {
  /** As alerts call it; undefined where there is never anybody to tell. */
  secret: LeakedSecret | undefined;
  /** Whether it has prefix, length and checksum of that kind. */
  recognises(value: string): boolean;
  /**
   * Takes its power from a secret, with its audit event, in the open transaction; undefined when we never issued it. Called
   * again for the same it does nothing more.
   */
  disarm(
    value: string,
    policyOf: (organizationId: string) => Promise<LeakPolicy>,
  ): Promise<Disarmed | undefined>;
};
