import type { UserStore } from '../accounts/user.ts';

/** What the OAuth endpoints need to know of a person. */
export type Account = { id: string; email: string; emailConfirmed: boolean; name: string };

/** Undefined when the person is gone or deactivated. */
export type FindAccount = (id: string) => Promise<Account | undefined>;

export const createFindAccount =
  (users: Pick<UserStore, 'find'>): FindAccount =>
  async (id) => {
    const user = await users.find(id);
    if (!user || user.deactivatedAt) return undefined;
    return {
      id: user.id,
      email: user.email,
      name: user.name,
      emailConfirmed: user.emailConfirmedAt !== undefined,
    };
  };
