import type { Role } from '../../config/roles.ts';
import { hashPassword } from '../../src/accounts/password.ts';
import type { Bootstrapped } from '../../src/bootstrap.ts';
import { newId } from '../../src/kernel/ids.ts';
import type { Services } from '../../src/services.ts';

export const PASSWORD = 'correct horse battery staple';

export type Person = { id: string; email: string; password: string };

/** A confirmed account in these organizations. */
export async function addPerson(
  { users, organizations }: Services,
  email: string,
  memberships: { organizationId: string; role: Role }[],
  name = 'Some Body',
): Promise<Person> {
  const id = newId('usr');
  await users.insert({ id, email, name, passwordHash: await hashPassword(PASSWORD) });
  await users.confirmEmail(id);
  for (const membership of memberships) await organizations.addMember({ ...membership, userId: id });
  return { id, email, password: PASSWORD };
}

/** A person of each name, in the demo organization. */
export async function addPeople<Name extends string>(
  services: Services,
  made: Bootstrapped,
  names: readonly Name[],
  role: Role,
): Promise<Record<Name, Person>> {
  const people: [string, Person][] = [];
  for (const name of names) {
    const membership = { organizationId: made.organization.id, role };
    people.push([name, await addPerson(services, `${name}@example.com`, [membership], name)]);
  }
  return Object.fromEntries(people) as Record<Name, Person>;
}
