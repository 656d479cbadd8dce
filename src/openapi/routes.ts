import { z } from 'zod';
import { defineRoute, type Route } from '../http/route.ts';
import { openApiDocument } from './document.ts';

const CACHE_SECONDS = 300;

/** `routes`: the table that the document describes. */
export function openApiRoutes(routes: readonly Route[], urls: { apiUrl: string; webUrl: string }): Route[] {
  const document = openApiDocument(routes, urls);
  return [
    defineRoute({
      method: 'GET',
      path: '/openapi.json',
      scope: 'public',
      summary: 'Read this document',
      answer: z.record(z.string(), z.unknown()),
      status: 200,
      cacheSeconds: CACHE_SECONDS,
      handle: async () => document,
    }),
  ];
}
