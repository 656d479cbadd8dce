import { type CryptoKey, exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import type { Services } from '../../src/services.ts';
import { type Answer, walk } from '../oauth/support.ts';
import { addApp, type Client } from '../support/prepare.ts';
import { type PreparedSite, startPreparedSite } from '../support/prepared-site.ts';
import { createUserAgent, type UserAgent } from '../support/user-agent.ts';

export const CALLBACK = 'https://rp.example/callback';
export const SECOND_CALLBACK = 'https://rp.example/callback?dummy1=lorem&dummy2=ipsum';

/** `npm run conformance` waits as long as their modules do; the suite, whose form is shorter, does not. */
export const isWhole = process.env['CONFORMANCE'] === 'whole';

type Apps = {
  /** Registered as the plans have their clients: confidential, PKCE not required. */
  basic: Client;
  second: Client;
  /** Of the profile fapi2: they prove themselves by keys, an elliptic curve's and an RSA one. */
  keyed: Keyed;
  secondKeyed: Keyed;
};

export type Keyed = Client & { alg: string; privateKey: CryptoKey };

/** A server process, apps in it, and openid-client as their side. */
export type World = {
  site: PreparedSite<Apps>;
  issuer: string;
  apps: Apps;
  /** What openid-client knows of the server, for one app; ID tokens' signatures are checked too. */
  configure(app: Client, auth?: client.ClientAuth): Promise<client.Configuration>;
  configureKeyed(app?: 'keyed' | 'secondKeyed'): Promise<client.Configuration>;
  newBrowser(): UserAgent;
  /** Sends a person there, who signs in and allows; where the browser was sent, or the page at which it stayed. */
  visit(url: URL | string, options?: { browser?: UserAgent; answer?: Answer }): Promise<Visit>;
  stop(): Promise<void>;
};

export type Visit = {
  callback: URL | undefined;
  status: number;
  html: string;
  signedIn: boolean;
};

export async function startWorld(): Promise<World> {
  const prepare = async (services: Services, made: Bootstrapped): Promise<Apps> => {
    const redirectUris = [CALLBACK, SECOND_CALLBACK];
    const fields = { redirectUris, requirePkce: false };
    const addKeyed = async (name: string, alg: string): Promise<Keyed> => {
      const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
      const { kty = '', ...jwk } = await exportJWK(publicKey);
      const jwks = { keys: [{ ...jwk, kty, kid: 'k1' }] };
      const app = await addApp(services, made, { name, redirectUris, jwks, securityProfile: 'fapi2' });
      return { ...app, alg, privateKey };
    };
    return {
      basic: await addApp(services, made, { ...fields, name: 'Relying party' }),
      second: await addApp(services, made, { ...fields, name: 'Second relying party' }),
      keyed: await addKeyed('FAPI client', 'ES256'),
      secondKeyed: await addKeyed('Second FAPI client', 'PS256'),
    };
  };
  // FAPI 2.0 §5.3.2.1: who lost the answer may ask with the old refresh token; the module does so after 30 seconds.
  const settings = { REFRESH_GRACE_SECONDS: '60', REGISTRATION: 'open' };
  const site = await startPreparedSite('embedded', prepare, settings);
  const issuer = site.server.url;
  const apps = site.extra;

  const configure = async (app: Client, auth = client.ClientSecretBasic(app.clientSecret)) => {
    const config = await client.discovery(new URL(issuer), app.clientId, undefined, auth, {
      execute: [client.allowInsecureRequests],
    });
    client.enableNonRepudiationChecks(config);
    return config;
  };
  return {
    site,
    issuer,
    apps,
    configure,
    configureKeyed: (name = 'keyed') => {
      const { privateKey, ...app } = apps[name];
      return configure(app, client.PrivateKeyJwt({ key: privateKey, kid: 'k1' }));
    },
    newBrowser: () => createUserAgent(issuer),
    visit: async (url, { browser = createUserAgent(issuer), answer = {} } = {}) => {
      const { end, signedIn } = await walk(browser, String(url), site.made.user, answer);
      return { callback: end.leftTo, status: end.status, html: end.html, signedIn };
    },
    stop: site.stop,
  };
}

/** The callback of a visit, or an error that shows where the browser stayed. */
export function atApp({ callback, status, html }: Visit): URL {
  if (!callback) throw new Error(`the browser was not sent back to the app, but got ${status}:\n${html}`);
  return callback;
}
