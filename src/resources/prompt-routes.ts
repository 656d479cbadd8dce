import { z } from 'zod';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { notFound } from '../kernel/errors.ts';
import { idOf, timestamp } from '../kernel/schemas.ts';
import { type PromptStore, type PromptVersion, promptContent, prompts } from './prompts.ts';
import { ownerOf, type RecordDeps, recordBy } from './records.ts';
import { resourceRoutes } from './resource-routes.ts';

const path = `${prompts.path}/:id/versions`;
const params = z.strictObject({ id: idOf('prm') });

const version = z
  .object({
    object: z.literal('version'),
    id: idOf('ver'),
    promptId: idOf('prm'),
    number: z.int(),
    content: z.string(),
    createdAt: timestamp,
  })
  .meta({ id: 'Version' });

const present = ({ id, promptId, number, content, createdAt }: PromptVersion): z.input<typeof version> => ({
  object: 'version',
  id,
  promptId,
  number,
  content,
  createdAt: createdAt.toISOString(),
});

const readNumber = (text: string): number | undefined =>
  /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;

/** Prompts, and below each its versions. */
export function promptRoutes(store: PromptStore, deps: RecordDeps): Route[] {
  return [
    ...resourceRoutes(prompts, store, deps),
    defineRoute({
      method: 'GET',
      path,
      scope: prompts.scopes.read,
      summary: "List a prompt's versions",
      params,
      query: pageQuery(readNumber),
      answer: listSchema(version),
      status: 200,
      handle: async ({ principal, params: { id }, query: { limit, cursor } }) => {
        const owner = ownerOf(principal);
        const found = await store.listVersions(owner, id, { limit: limit + 1, after: cursor });
        if (found.length === 0 && !(await store.find(owner, id))) throw notFound();
        return listOf(found, limit, ({ number }) => number, present);
      },
    }),
    defineRoute({
      method: 'POST',
      path,
      scope: prompts.scopes.write,
      summary: 'Give a prompt a new version',
      params,
      body: z.strictObject({ content: promptContent }),
      answer: version,
      status: 201,
      handle: ({ principal, params: { id }, body: { content }, ip }) =>
        deps.transaction(async () => {
          const added = await store.addVersion(ownerOf(principal), id, content, deps.clock());
          if (!added) throw notFound();
          await recordBy(deps.audit, { principal, ip }, 'version.created', id, { number: added.number });
          return present(added);
        }),
    }),
  ];
}
