import { z } from 'zod';
import { idOf, metadata, text, textOfBytes, timestamp } from '../kernel/schemas.ts';
import type { Owner, Resource, ResourceStore, Stored } from './resource.ts';

export type Prompt = Stored & {
  name: string;
  content: string;
  folderId: string | null;
  metadata: Record<string, string>;
  /** The number of its newest version. */
  version: number;
};

/** A content that a prompt has or had. Never changes. */
export type PromptVersion = {
  id: string;
  promptId: string;
  number: number;
  content: string;
  createdAt: Date;
};

/** Keeps each content as a version: the first with `insert`, another with every `update` that changes the content. */
export type PromptStore = ResourceStore<Prompt, PromptFields> & {
  /** Newest first, from below the number `after`. Doesn't say whether the prompt exists. */
  listVersions(
    owner: Owner,
    promptId: string,
    page: { limit: number; after: number | undefined },
  ): Promise<PromptVersion[]>;
  /** Makes `content` the prompt's newest version, the same as before or not. Undefined when there is no such prompt. */
  addVersion(owner: Owner, promptId: string, content: string, at: Date): Promise<PromptVersion | undefined>;
};

export const promptContent = textOfBytes(100_000);

const folderId = idOf('fld').nullable();

const fields = { name: text(1, 200), content: promptContent };

const create = z.strictObject({
  ...fields,
  folderId: folderId.default(null),
  metadata: metadata.default({}),
});
const change = z.strictObject({ ...fields, folderId, metadata }).partial();

export type PromptFields = z.output<typeof create>;
type PromptChange = z.output<typeof change>;

export const prompts: Resource<Prompt, PromptFields, PromptChange> = {
  name: 'prompt',
  path: '/v1/prompts',
  idPrefix: 'prm',
  scopes: { read: 'prompts:read', write: 'prompts:write' },
  object: z
    .object({
      object: z.literal('prompt'),
      id: idOf('prm'),
      name: z.string(),
      content: z.string(),
      folderId: idOf('fld').nullable(),
      metadata: z.record(z.string(), z.string()),
      version: z.int(),
      createdAt: timestamp,
      updatedAt: timestamp,
    })
    .meta({ id: 'Prompt' }),
  create,
  change,
  present: (prompt) => ({
    object: 'prompt',
    id: prompt.id,
    name: prompt.name,
    content: prompt.content,
    folderId: prompt.folderId,
    metadata: prompt.metadata,
    version: prompt.version,
    createdAt: prompt.createdAt.toISOString(),
    updatedAt: prompt.updatedAt.toISOString(),
  }),
  alsoHappened: (before, after) =>
    after.version === before.version ? [] : [{ type: 'version.created', data: { number: after.version } }],
};
