import type { OrganizationStore } from './organization.ts';

export type TellAdmins = (organizationId: string, mail: { subject: string; text: string }) => Promise<void>;

/** Mails an organization's owners and admins, each by themselves, in the background. */
export const createTellAdmins =
  (deps: {
    organizations: Pick<OrganizationStore, 'listAdmins'>;
    sendMail(mail: { to: string; subject: string; text: string }): Promise<void>;
    inBackground(work: () => Promise<void>): void;
  }): TellAdmins =>
  async (organizationId, mail) => {
    const admins = await deps.organizations.listAdmins(organizationId);
    deps.inBackground(async () => {
      for (const { email } of admins) await deps.sendMail({ to: email, ...mail });
    });
  };
