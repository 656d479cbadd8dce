import { z } from 'zod';
import { listOf, listSchema, pageQuery } from '../http/lists.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { notFound } from '../kernel/errors.ts';
import { isId } from '../kernel/ids.ts';
import { idOf } from '../kernel/schemas.ts';
import { createRecords, ownerOf, type RecordDeps } from './records.ts';
import type { Changes, Resource, ResourceStore, Stored } from './resource.ts';

/** The five routes of a resource: list, create, read, change, delete. */
export function resourceRoutes<Item extends Stored, Create extends object, Change extends Changes<Item>>(
  resource: Resource<Item, Create, Change>,
  store: ResourceStore<Item, Create>,
  deps: RecordDeps,
): Route[] {
  const { name, path, scopes, object, create, change, idPrefix, present } = resource;
  const records = createRecords(resource, store, deps);
  const params = z.strictObject({ id: idOf(idPrefix) });
  const itemPath = `${path}/:id`;
  const one = `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`;

  return [
    defineRoute({
      method: 'GET',
      path,
      scope: scopes.read,
      summary: `List ${name}s`,
      query: pageQuery((text) => (isId(idPrefix, text) ? text : undefined)),
      answer: listSchema(object),
      status: 200,
      handle: async ({ principal, query: { limit, cursor } }) => {
        const found = await store.list(ownerOf(principal), { limit: limit + 1, after: cursor });
        return listOf(found, limit, (item) => item.id, present);
      },
    }),
    defineRoute({
      method: 'POST',
      path,
      scope: scopes.write,
      summary: `Create ${one}`,
      body: create,
      answer: object,
      status: 201,
      handle: async ({ principal, body, ip }) => present(await records.create({ principal, ip }, body)),
    }),
    defineRoute({
      method: 'GET',
      path: itemPath,
      scope: scopes.read,
      summary: `Read ${one}`,
      params,
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id } }) => {
        const item = await store.find(ownerOf(principal), id);
        if (!item) throw notFound();
        return present(item);
      },
    }),
    defineRoute({
      method: 'PATCH',
      path: itemPath,
      scope: scopes.write,
      summary: `Change ${one}`,
      params,
      body: change,
      answer: object,
      status: 200,
      handle: async ({ principal, params: { id }, body, ip }) =>
        present(await records.change({ principal, ip }, id, body)),
    }),
    defineRoute({
      method: 'DELETE',
      path: itemPath,
      scope: scopes.write,
      summary: `Delete ${one}`,
      params,
      status: 204,
      handle: async ({ principal, params: { id }, ip }) => {
        await records.remove({ principal, ip }, id);
        return undefined;
      },
    }),
  ];
}
