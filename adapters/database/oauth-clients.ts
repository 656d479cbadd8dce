import type { Adapter, AdapterPayload } from 'oidc-provider';
import type { AppStore } from '../../src/apps/app.ts';
import { isId } from '../../src/kernel/ids.ts';
import { toClientMetadata } from '../../src/oauth/client-metadata.ts';

/** The library's clients are our apps. It only reads them: apps are registered and changed through `apps/`. */
export function createClientAdapter(apps: AppStore): Adapter {
  const readOnly = () => Promise.reject(new Error('apps are not changed through the OAuth library'));
  return {
    find: async (id) => {
      if (!isId('app', id)) return undefined;
      const app = await apps.findRegistered(id);
      return app && (toClientMetadata(app) as AdapterPayload);
    },
    upsert: readOnly,
    destroy: readOnly,
    consume: readOnly,
    findByUid: readOnly,
    findByUserCode: readOnly,
    revokeByGrantId: readOnly,
  };
}
