import type { KeyObject } from 'node:crypto';
import { compactVerify, createLocalJWKSet } from 'jose';
import { type Client, ExternalSigningKey, errors, type default as Provider } from 'oidc-provider';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../config/signing-algorithms.ts';
import type { KeyRing } from './key-ring.ts';

/**
 * The key that signs now, whichever that is: the library is given one of these for each algorithm, once, and asks it whenever it
 * signs. So keys change under a running provider. The header that is signed names the key, and that very key signs it, also
 * when another took over in between.
 */
class CurrentKey extends ExternalSigningKey {
  readonly #ring: KeyRing;
  readonly #algorithm: SigningAlgorithm;

  constructor(ring: KeyRing, algorithm: SigningAlgorithm) {
    super();
    this.#ring = ring;
    this.#algorithm = algorithm;
  }

  override get kid(): string {
    return this.#ring.current(this.#algorithm).kid;
  }

  override get alg(): string {
    return this.#algorithm;
  }

  override keyObject(): KeyObject {
    return this.#ring.current(this.#algorithm).publicKey;
  }

  override sign(signingInput: Uint8Array): Promise<Uint8Array> {
    const [header = ''] = Buffer.from(signingInput).toString('latin1').split('.', 1);
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    return this.#ring.sign(kid, signingInput);
  }
}

export const currentKeys = (ring: KeyRing): { keys: ExternalSigningKey[] } => ({
  keys: SIGNING_ALGORITHMS.map((algorithm) => new CurrentKey(ring, algorithm)),
});

type IdTokenModel = { validate(jwt: string, client: Client): Promise<{ header: object; payload: object }> };

/**
 * OpenID Connect Core §3.1.2.1: an id_token that is sent back as a hint may have expired, and may be signed by any key that is
 * still published: the library would look at those that sign now alone.
 */
export function verifyHintsByAllKeys(provider: Provider, ring: KeyRing): void {
  const model = provider.IdToken as unknown as IdTokenModel;
  model.validate = async (jwt, client) => {
    const { payload: bytes, protectedHeader } = await compactVerify(
      jwt,
      createLocalJWKSet(ring.published()),
      {
        algorithms: [client.idTokenSignedResponseAlg ?? 'RS256'],
      },
    );
    const payload = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
    const { iss, aud, sub } = payload;
    if (iss !== provider.issuer || aud !== client.clientId || typeof sub !== 'string') {
      throw new errors.InvalidRequest('the id_token is for another app');
    }
    return { header: protectedHeader, payload };
  };
}
