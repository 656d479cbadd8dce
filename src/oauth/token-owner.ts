import type { RegisteredClient } from './client-metadata.ts';
import type { Ownership } from './outside-tokens.ts';

type Asking = Pick<
  RegisteredClient,
  'clientId' | 'organization_id' | 'environment' | 'resource_server' | 'clientAuthMethod'
>;

const isOwn = (client: Asking, token: Ownership): boolean => token.clientId === client.clientId;

/** The sandbox's apps know of the sandbox's credentials alone, as at `/v1`. */
const isOfSameOrganization = (client: Asking, token: Ownership): boolean =>
  client.organization_id === token.organizationId &&
  (client.environment === 'live' || token.environment === 'test');

/** RFC 7662 §2.1: who may know of a token. An app that can't keep a secret can't be told from anybody else. */
export const mayIntrospect = (client: Asking, token: Ownership): boolean =>
  client.clientAuthMethod !== 'none' && mayEndForOthers(client, token);

/** RFC 7009 §2.1: the app that it was issued to, public or not; its organization's other apps; resource servers. */
export const mayRevoke = (client: Asking, token: Ownership): boolean =>
  isOwn(client, token) || (client.clientAuthMethod !== 'none' && mayEndForOthers(client, token));

const mayEndForOthers = (client: Asking, token: Ownership): boolean =>
  client.resource_server || isOwn(client, token) || isOfSameOrganization(client, token);
