import type { RouteDeps } from '../http/route.ts';
import { grantUseId } from '../oauth/connected-apps.ts';
import type { Services } from '../services.ts';

/** What is noted of each call of the API, in memory all of it: metrics, last uses, usage. */
export const wireMeter =
  (services: Services): RouteDeps['meter'] =>
  (call) => {
    const { route, principal, status, ip } = call;
    services.metrics.countCall({
      route: `${route.method} ${route.path}`,
      status,
      method: principal?.method,
    });
    if (principal?.method === 'api_key') services.keyUses.note(principal.id, { ip });
    if (principal?.userId && principal.clientId) {
      const { userId, clientId, organizationId } = principal;
      services.grantUses.note(grantUseId({ userId, appId: clientId, organizationId }), {});
    }
    services.usageMeter.count(call);
  };
