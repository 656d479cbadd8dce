import { createMetadataDocuments } from '../apps/client-metadata-document.ts';
import { createApps } from '../apps/manage.ts';
import { createAppRegistration } from '../apps/register-app.ts';
import { createResourceServerMarking } from '../apps/resource-servers.ts';
import { createSelfRegistration } from '../apps/self-registration.ts';
import type { Foundation } from './foundation.ts';
import type { Stores } from './stores.ts';

/** Apps: made and changed by people of an organization, or registered and published by themselves. */
export function appServices(foundation: Foundation, { apps, unownedApps, endGrants }: Stores) {
  const { config, clock, transaction, audit, safeFetch } = foundation;
  const listeners: (() => void)[] = [];
  const changing = async <T>(work: () => Promise<T>): Promise<T> => {
    const changed = await transaction(work);
    for (const listener of listeners) listener();
    return changed;
  };
  const registerApp = createAppRegistration({ apps, transaction, audit, clock });
  return {
    registerApp,
    manageApps: createApps({ apps, registerApp, endGrants, transaction: changing, audit, clock }),
    /** Calls the listener when this process has changed an app, before it answers. Others hear of it by the feed. */
    onAppChange: (listener: () => void) => void listeners.push(listener),
    markResourceServer: createResourceServerMarking({ apps, transaction, audit }),
    selfRegistration: createSelfRegistration({
      store: unownedApps,
      endGrants,
      transaction: changing,
      audit,
      clock,
    }),
    readMetadataDocument: createMetadataDocuments({
      safeFetch,
      clock,
      ownOrigins: [config.apiUrl, config.webUrl],
      store: unownedApps,
    }),
  };
}
