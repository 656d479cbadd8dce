import type { OrganizationStore } from './organization.ts';

export type TellAdmins = (organizationId: string, mail: { subject: string; text: string }) => Promise<void>;

/** Mails an organization's owners and admins, each by themselves. Rejects at the first mail that can't be handed on. */
export const createTellAdmins =
  (deps: {
    organizations: Pick<OrganizationStore, 'listAdmins'>;
    sendMail(mail: { to: string; subject: string; text: string }): Promise<void>;
  }): TellAdmins =>
  async (organizationId, mail) => {
    for (const { email } of await deps.organizations.listAdmins(organizationId)) {
      await deps.sendMail({ to: email, ...mail });
    }
  };
