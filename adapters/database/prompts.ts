import type { Knex } from 'knex';
import { newId } from '../../src/kernel/ids.ts';
import type { Prompt, PromptStore, PromptVersion } from '../../src/resources/prompts.ts';
import type { Owner } from '../../src/resources/resource.ts';
import type { Database } from './database.ts';

type PromptRow = {
  id: string;
  name: string;
  content: string;
  folder_id: string | null;
  metadata: Record<string, string>;
  version: number;
  created_at: Date;
  updated_at: Date;
};

type VersionRow = { id: string; prompt_id: string; number: number; content: string; created_at: Date };

const ofOwner = ({ organizationId, environment }: Owner) => ({
  organization_id: organizationId,
  environment,
});

/** Prompts and their versions. */
export function createPromptStore(database: Database): PromptStore {
  const prompts = (owner: Owner) => database.sql()<PromptRow>('prompts').where(ofOwner(owner));

  /** Holds the row until the transaction ends: versions of one prompt are numbered one after the other. */
  const lock = async (owner: Owner, id: string): Promise<PromptRow | undefined> =>
    (await prompts(owner).where({ id }).forUpdate().select('*'))[0];

  const write = async (
    id: string,
    columns: Partial<Record<keyof PromptRow, Knex.Value>>,
  ): Promise<PromptRow> => {
    const [row] = (await database
      .sql()('prompts')
      .where({ id })
      .update(columns)
      .returning('*')) as PromptRow[];
    return row as PromptRow;
  };

  const insertVersion = async (
    promptId: string,
    number: number,
    content: string,
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
    list: async (owner, { limit, after }) => {
      const rows = await prompts(owner)
        .modify((query) => {
          if (after !== undefined) void query.where('id', '<', after);
        })
        .orderBy('id', 'desc')
        .limit(limit)
        .select('*');
      return rows.map(toPrompt);
    },
    find: async (owner, id) => {
      const [row] = await prompts(owner).where({ id }).select('*');
      return row && toPrompt(row);
    },
    insert: (owner, { id, at, name, content, folderId, metadata }) =>
      database.transaction(async () => {
        const [row] = (await database
          .sql()('prompts')
          .insert({
            ...ofOwner(owner),
            id,
            name,
            content,
            folder_id: folderId,
            metadata: JSON.stringify(metadata),
            created_at: at,
            updated_at: at,
          })
          .returning('*')) as PromptRow[];
        await insertVersion(id, 1, content, at);
        return toPrompt(row as PromptRow);
      }),
    update: (owner, id, { name, content, folderId, metadata }, at) =>
      database.transaction(async () => {
        const before = await lock(owner, id);
        if (!before) return undefined;
        const changed = {
          ...(name === undefined ? {} : { name }),
          ...(content === undefined ? {} : { content }),
          ...(folderId === undefined ? {} : { folder_id: folderId }),
          ...(metadata === undefined ? {} : { metadata: JSON.stringify(metadata) }),
        };
        if (Object.keys(changed).length === 0) return { before: toPrompt(before), after: toPrompt(before) };
        const isNewContent = content !== undefined && content !== before.content;
        const version = before.version + (isNewContent ? 1 : 0);
        const after = await write(id, { ...changed, version, updated_at: at });
        if (isNewContent) await insertVersion(id, version, content, at);
        return { before: toPrompt(before), after: toPrompt(after) };
      }),
    delete: async (owner, id) => (await prompts(owner).where({ id }).delete()) > 0,
    listVersions: async (owner, promptId, { limit, after }) => {
      const rows = await database
        .sql()('prompt_versions')
        .join('prompts', 'prompts.id', 'prompt_versions.prompt_id')
        .where({ ...ofOwner(owner), prompt_id: promptId })
        .modify((query) => {
          if (after !== undefined) void query.where('number', '<', after);
        })
        .orderBy('number', 'desc')
        .limit(limit)
        .select<VersionRow[]>('prompt_versions.*');
      return rows.map(toVersion);
    },
    addVersion: (owner, promptId, content, at) =>
      database.transaction(async () => {
        const before = await lock(owner, promptId);
        if (!before) return undefined;
        const version = before.version + 1;
        await write(promptId, { content, version, updated_at: at });
        return insertVersion(promptId, version, content, at);
      }),
  };
}

const toPrompt = (row: PromptRow): Prompt => ({
  id: row.id,
  name: row.name,
  content: row.content,
  folderId: row.folder_id ?? undefined,
  metadata: row.metadata,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const toVersion = (row: VersionRow): PromptVersion => ({
  id: row.id,
  promptId: row.prompt_id,
  number: row.number,
  content: row.content,
  createdAt: row.created_at,
});
