import { newId } from '../../src/kernel/ids.ts';
import type { Prompt, PromptFields, PromptStore, PromptVersion } from '../../src/resources/prompts.ts';
import type { Database } from './database.ts';
import { newestFirst } from './page.ts';
import { createResourceStore, ofOwner } from './resource-store.ts';

type VersionRow = { id: string; prompt_id: string; number: number; content: string; created_at: Date };

/** Prompts and their versions, which the lock of the prompt has numbered one after the other. */
export function createPromptStore(database: Database): PromptStore {
  const prompts = createResourceStore<Prompt, PromptFields>(database, {
    name: 'prompts',
    members: ['name', 'content', 'folderId', 'metadata', 'version'],
    json: ['metadata'],
    references: ['folderId'],
  });

  /** Keeps the prompt's content as the version whose number it has. */
  const insertVersion = async (
    { id: promptId, version: number, content }: Prompt,
    at: Date,
  ): Promise<PromptVersion> => {
    const version = { id: newId('ver', at), promptId, number, content, createdAt: at };
    await database.sql()('prompt_versions').insert({
      id: version.id,
      prompt_id: promptId,
      number,
      content,
      created_at: at,
    });
    return version;
  };

  return {
    ...prompts,
    insert: (owner, item) =>
      database.transaction(async () => {
        const prompt = await prompts.insert(owner, item);
        await insertVersion(prompt, item.at);
        return prompt;
      }),
    update: (owner, id, decide, at) =>
      database.transaction(async () => {
        const updated = await prompts.update(
          owner,
          id,
          (before) => {
            const changes = decide(before);
            const { content = before.content } = changes;
            return content === before.content ? changes : { ...changes, version: before.version + 1 };
          },
          at,
        );
        if (updated && updated.after.version !== updated.before.version)
          await insertVersion(updated.after, at);
        return updated;
      }),
    listVersions: async (owner, promptId, page) => {
      const rows = await database
        .sql()('prompt_versions')
        .join('prompts', 'prompts.id', 'prompt_versions.prompt_id')
        .where({ ...ofOwner(owner), prompt_id: promptId })
        .modify(newestFirst(page, 'number'))
        .select<VersionRow[]>('prompt_versions.*');
      return rows.map(toVersion);
    },
    addVersion: (owner, promptId, content, at) =>
      database.transaction(async () => {
        const updated = await prompts.update(
          owner,
          promptId,
          ({ version }) => ({ content, version: version + 1 }),
          at,
        );
        return updated && (await insertVersion(updated.after, at));
      }),
  };
}

const toVersion = (row: VersionRow): PromptVersion => ({
  id: row.id,
  promptId: row.prompt_id,
  number: row.number,
  content: row.content,
  createdAt: row.created_at,
});
