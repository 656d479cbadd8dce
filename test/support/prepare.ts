import { loadConfig } from '../../config/config.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import type { App } from '../../src/apps/app.ts';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import { createLogger } from '../../src/kernel/log.ts';
import { openServices, type Services } from '../../src/services.ts';

/** Does something with the database before the service runs on it, through the same functions that it uses. */
export async function withDatabase<T>(
  env: Record<string, string>,
  work: (services: Services) => Promise<T>,
): Promise<T> {
  const services = await openServices(loadConfig(env), createLogger('warn'));
  try {
    return await work(services);
  } finally {
    await services.close();
  }
}

/** Registers an app with every scope, unless `fields` says otherwise. */
export async function registerTestApp(
  services: Services,
  fields: Pick<App, 'organizationId' | 'redirectUris'> & Partial<App>,
): Promise<{ clientId: string; clientSecret: string }> {
  const { app, secret } = await services.registerApp(
    {
      name: 'Test app',
      kind: 'web',
      environment: 'live',
      scopes: ALL_SCOPES,
      requirePkce: true,
      homepageUrl: undefined,
      logoUrl: undefined,
      privacyUrl: undefined,
      createdBy: undefined,
      ...fields,
    },
    { actor: { type: 'operator' } },
  );
  return { clientId: app.id, clientSecret: secret?.reveal() ?? '' };
}

/** An app with what a token request needs to say of it. */
export type Client = { clientId: string; clientSecret: string; redirectUris: string[] };

/** A registered app; a web app of the demo organization unless `fields` says otherwise. */
export async function addApp(
  services: Services,
  made: Bootstrapped,
  fields: Partial<Omit<App, 'id'>> = {},
): Promise<Client> {
  const usual = fields.kind === 'service' ? [] : ['http://localhost:8080/callback'];
  const redirectUris = [...(fields.redirectUris ?? usual)];
  const organizationId = made.organization.id;
  const app = await registerTestApp(services, {
    organizationId,
    name: 'Another app',
    ...fields,
    redirectUris,
  });
  return { ...app, redirectUris };
}
