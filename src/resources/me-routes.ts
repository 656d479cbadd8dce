import { z } from 'zod';
import { ENVIRONMENTS } from '../../config/environments.ts';
import { ALL_SCOPES } from '../../config/scopes.ts';
import { defineRoute, type Route } from '../http/route.ts';

const principal = z
  .object({
    object: z.literal('principal'),
    method: z.enum(['api_key', 'oauth_user', 'client_credentials']),
    id: z.string(),
    organizationId: z.string(),
    userId: z.string().nullable(),
    clientId: z.string().nullable(),
    environment: z.enum(ENVIRONMENTS),
    scopes: z.array(z.enum(ALL_SCOPES)),
  })
  .meta({ id: 'Principal' });

/** Who the caller is, whichever credential it holds, and what that may do now. */
export const meRoutes = (): Route[] => [
  defineRoute({
    method: 'GET',
    path: '/v1/me',
    scope: 'authenticated',
    summary: 'Read the principal of the credential',
    answer: principal,
    status: 200,
    handle: async ({ principal: { method, id, organizationId, userId, clientId, environment, scopes } }) => ({
      object: 'principal' as const,
      method,
      id,
      organizationId,
      userId: userId ?? null,
      clientId: clientId ?? null,
      environment,
      scopes: [...scopes],
    }),
  }),
];
