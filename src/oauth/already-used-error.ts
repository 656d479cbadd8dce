import { errors } from 'oidc-provider';

/**
 * A code or refresh token was presented a second time, at the same moment or later.
 * To the client it is what the specification says; `grantId` names the family that has to go.
 */
export class AlreadyUsedError extends errors.InvalidGrant {
  readonly kind: string;
  readonly grantId: string | undefined;

  constructor(kind: string, grantId: string | undefined) {
    super('it was used already');
    this.kind = kind;
    this.grantId = grantId;
  }
}
