import type { Services } from '../../src/services.ts';

/** An organization with webhooks of its own, made without a request; its number tells it from others. */
export type WebhookOwner = Awaited<ReturnType<typeof addWebhookOwner>>;

export async function addWebhookOwner(services: Services, number: number, urls: readonly string[]) {
  const userId = `usr_${String(number).padStart(26, '0')}`;
  const person = { id: userId, email: `owner${number}@example.com`, name: 'Owner', passwordHash: 'none' };
  await services.users.insert(person);
  const name = `Organization ${number}`;
  const { id: organizationId } = await services.createOrganization({ name, ownerId: userId });
  const principal = {
    method: 'oauth_user' as const,
    id: userId,
    userId,
    organizationId,
    environment: 'live' as const,
    scopes: [],
  };
  const webhookIds: string[] = [];
  const secrets: string[] = [];
  for (const url of urls) {
    const fields = { url, events: ['*'], description: null };
    const made = await services.manageWebhooks.create({ principal, ip: '127.0.0.1' }, fields);
    webhookIds.push(made.webhook.id);
    secrets.push(made.secret.reveal());
  }
  return {
    organizationId,
    principal,
    webhookIds,
    secrets,
    /** Something happens that its webhooks are told of. */
    tell: (promptNumber: number) =>
      services.audit({
        type: 'prompt.created',
        organizationId,
        environment: 'live',
        actor: { type: 'system' },
        targetId: `prm_${String(promptNumber).padStart(26, '0')}`,
      }),
  };
}
