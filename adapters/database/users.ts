import type { User, UserStore } from '../../src/accounts/user.ts';
import { clearSome } from './clear-some.ts';
import type { Database } from './database.ts';

type UserRow = {
  id: string;
  email: string;
  name: string;
  password_hash: string;
  email_confirmed_at: Date | null;
  deactivated_at: Date | null;
};

const toUser = (row: UserRow): User => ({
  id: row.id,
  email: row.email,
  name: row.name,
  passwordHash: row.password_hash,
  emailConfirmedAt: row.email_confirmed_at ?? undefined,
  deactivatedAt: row.deactivated_at ?? undefined,
});

/** People and their mailed one-time links. */
export function createUserStore(database: Database): UserStore {
  const users = () => database.sql()<UserRow>('users');
  const tokens = () => database.sql()('email_tokens');

  return {
    insert: async (user) => {
      const inserted = await database
        .sql()('users')
        .insert({ id: user.id, email: user.email, name: user.name, password_hash: user.passwordHash })
        .onConflict('email')
        .ignore()
        .returning('id');
      return inserted.length === 1;
    },
    find: async (id) => {
      const row = await users().where({ id }).first();
      return row && toUser(row);
    },
    findByEmail: async (email) => {
      const row = await users().where({ email }).first();
      return row && toUser(row);
    },
    confirmEmail: async (id) => {
      const changed = await database
        .sql()('users')
        .where({ id })
        .whereNull('email_confirmed_at')
        .update({ email_confirmed_at: database.sql().fn.now() });
      return changed === 1;
    },
    setPassword: async (id, passwordHash) => {
      await database.sql()('users').where({ id }).update({ password_hash: passwordHash });
    },
    setName: async (id, name) => {
      await database.sql()('users').where({ id }).update({ name });
    },
    changeEmail: async (id, email) => {
      try {
        // A savepoint: who loses the race for an address goes on in the same transaction.
        await database.sql().transaction(async (savepoint) => {
          await savepoint('users').where({ id }).update({ email, email_confirmed_at: savepoint.fn.now() });
        });
        return true;
      } catch (error) {
        if ((error as { constraint?: string }).constraint === 'users_email_key') return false;
        throw error;
      }
    },
    setDeactivated: async (id, deactivated) => {
      const changed = await database
        .sql()('users')
        .where({ id })
        .whereRaw(`deactivated_at IS ${deactivated ? '' : 'NOT '}NULL`)
        .update({ deactivated_at: deactivated ? database.sql().fn.now() : null });
      return changed === 1;
    },
    putEmailToken: async ({ hash, userId, purpose, ttlSeconds, newEmail }) => {
      await tokens().where({ user_id: userId, purpose }).delete();
      await tokens().insert({
        token_hash: hash,
        user_id: userId,
        purpose,
        new_email: newEmail,
        expires_at: database.sql().raw("now() + ? * interval '1 second'", [ttlSeconds]),
      });
    },
    peekEmailToken: async (hash, purpose) => {
      const row = await tokens()
        .where({ token_hash: hash, purpose })
        .whereRaw('expires_at > now()')
        .first<{ user_id: string } | undefined>('user_id');
      return row?.user_id;
    },
    takeEmailToken: async (hash, purpose) => {
      const [row] = await tokens()
        .where({ token_hash: hash, purpose })
        .whereRaw('expires_at > now()')
        .delete()
        .returning<{ user_id: string }[]>('user_id');
      return row?.user_id;
    },
    takeEmailChange: async (hash) => {
      const [row] = await tokens()
        .where({ token_hash: hash, purpose: 'change_email' })
        .whereRaw('expires_at > now()')
        .delete()
        .returning<{ user_id: string; new_email: string }[]>(['user_id', 'new_email']);
      return row && { userId: row.user_id, newEmail: row.new_email };
    },
    dropEmailTokens: async (userId, purpose) => {
      await tokens().where({ user_id: userId, purpose }).delete();
    },
    sweepEmailTokens: (most) =>
      clearSome(
        database,
        { table: 'email_tokens', key: 'token_hash', condition: 'expires_at < now()' },
        most,
      ),
  };
}
