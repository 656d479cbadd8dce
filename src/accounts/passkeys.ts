import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { Clock } from '../kernel/clock.ts';
import type { Sealer } from '../kernel/sealing.ts';
import { sha256 } from '../kernel/secret.ts';
import type { Passkey, SecondFactorStore } from './second-factor.ts';

/** Loaded when the first passkey is asked for: with its parsers of certificates it is a tenth of what the server needs at rest. */
const webauthn = () => import('@simplewebauthn/server');

/** How long a page with a passkey's button may stand open. */
const CHALLENGE_SECONDS = 15 * 60;

/** What the browser is asked: the options for its own function, and our challenge, sealed, to come back with the answer. */
export type PasskeyQuestion = { options: string; challenge: string };

type Purpose = 'register' | 'sign-in' | 'second-step';

type Challenge = { value: string; userId: string | undefined; expiresAt: number };

export type Passkeys = ReturnType<typeof createPasskeys>;

/**
 * WebAuthn Level 3 through @simplewebauthn, for a site of one origin. Challenges are sealed into the page, so that asking
 * writes nothing; the one that an answer was given to is written down, and is not answered again.
 */
export function createPasskeys(deps: {
  webUrl: string;
  store: Pick<SecondFactorStore, 'findPasskey' | 'recordPasskeyUse' | 'spendChallenge'>;
  sealer: Sealer;
  clock: Clock;
}) {
  const rpID = new URL(deps.webUrl).hostname;
  const context = (purpose: Purpose): string => `passkey/${purpose}`;

  const ask = (
    options: { challenge: string },
    purpose: Purpose,
    userId: string | undefined,
  ): PasskeyQuestion => {
    const expiresAt = deps.clock().getTime() + CHALLENGE_SECONDS * 1000;
    const challenge: Challenge = { value: options.challenge, userId, expiresAt };
    return {
      options: JSON.stringify(options),
      challenge: deps.sealer.seal(JSON.stringify(challenge), context(purpose)).toString('base64url'),
    };
  };

  const openChallenge = (sealed: string, purpose: Purpose): Challenge | undefined => {
    try {
      const text = deps.sealer.open(Buffer.from(sealed, 'base64url'), context(purpose));
      const challenge = JSON.parse(text) as Challenge;
      return challenge.expiresAt > deps.clock().getTime() ? challenge : undefined;
    } catch {
      return undefined; // not ours, or of another purpose
    }
  };

  const spend = ({ value }: Challenge): Promise<boolean> =>
    deps.store.spendChallenge(sha256(value), CHALLENGE_SECONDS);

  const allowed = (passkeys: readonly Passkey[]) =>
    passkeys.map(({ credentialId, transports }) => ({
      id: credentialId.toString('base64url'),
      transports: [...transports],
    }));

  return {
    askToRegister: async (
      user: { id: string; email: string; name: string },
      present: readonly Passkey[],
    ): Promise<PasskeyQuestion> => {
      const options = await (await webauthn()).generateRegistrationOptions({
        rpName: 'PromptReports',
        rpID,
        userName: user.email,
        userDisplayName: user.name,
        userID: new TextEncoder().encode(user.id),
        attestationType: 'none',
        excludeCredentials: allowed(present),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
      });
      return ask(options, 'register', user.id);
    },

    /** The new credential, or undefined when the answer is not right. Doesn't look whether it is somebody's already. */
    verifyNew: async (
      userId: string,
      answer: { challenge: string; credential: string },
    ): Promise<Pick<Passkey, 'credentialId' | 'publicKey' | 'signCount' | 'transports'> | undefined> => {
      const challenge = openChallenge(answer.challenge, 'register');
      if (challenge?.userId !== userId) return undefined;
      const verified = await quietly(async () =>
        (await webauthn()).verifyRegistrationResponse({
          response: JSON.parse(answer.credential) as RegistrationResponseJSON,
          expectedChallenge: challenge.value,
          expectedOrigin: deps.webUrl,
          expectedRPID: rpID,
          requireUserVerification: false,
        }),
      );
      if (!verified?.verified || !(await spend(challenge))) return undefined;
      const { credential } = verified.registrationInfo;
      return {
        credentialId: Buffer.from(credential.id, 'base64url'),
        publicKey: Buffer.from(credential.publicKey),
        signCount: credential.counter,
        transports: (credential.transports ?? [])
          .filter((transport) => /^[a-z-]{1,20}$/.test(transport))
          .slice(0, 10),
      };
    },

    /** For who has shown nothing yet: any passkey of ours, and it has to verify its person (by a PIN, say). */
    askToSignIn: async (): Promise<PasskeyQuestion> => {
      const options = await (await webauthn()).generateAuthenticationOptions({
        rpID,
        userVerification: 'required',
      });
      return ask(options, 'sign-in', undefined);
    },

    /** For who has shown the password: one of their passkeys. */
    askAsSecondStep: async (userId: string, present: readonly Passkey[]): Promise<PasskeyQuestion> => {
      const options = await (await webauthn()).generateAuthenticationOptions({
        rpID,
        allowCredentials: allowed(present),
        userVerification: 'discouraged',
      });
      return ask(options, 'second-step', userId);
    },

    /**
     * Whose passkey answered; undefined when the answer is not right, or was given before. `userId`: as a second step
     * of this person; without it as a whole sign-in. Doesn't look whether the person is active.
     */
    verify: async (
      answer: { challenge: string; credential: string },
      userId?: string,
    ): Promise<string | undefined> => {
      const challenge = openChallenge(answer.challenge, userId === undefined ? 'sign-in' : 'second-step');
      if (!challenge || challenge.userId !== userId) return undefined;
      const response = await quietly(() => JSON.parse(answer.credential) as AuthenticationResponseJSON);
      if (typeof response?.id !== 'string') return undefined;
      const passkey = await deps.store.findPasskey(Buffer.from(response.id, 'base64url'));
      if (!passkey || (userId !== undefined && passkey.userId !== userId)) return undefined;
      const verified = await quietly(async () =>
        (await webauthn()).verifyAuthenticationResponse({
          response,
          expectedChallenge: challenge.value,
          expectedOrigin: deps.webUrl,
          expectedRPID: rpID,
          requireUserVerification: userId === undefined,
          credential: {
            id: response.id,
            publicKey: new Uint8Array(passkey.publicKey),
            counter: passkey.signCount, // a lower one is a copy of the key: the library refuses it
          },
        }),
      );
      if (!verified?.verified || !(await spend(challenge))) return undefined;
      await deps.store.recordPasskeyUse(passkey.id, verified.authenticationInfo.newCounter);
      return passkey.userId;
    },
  };
}

/** The library and JSON throw for whatever a stranger sends: that is an answer which is not right, and no fault of ours. */
async function quietly<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}
