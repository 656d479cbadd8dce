import type { Adapter } from 'oidc-provider';
import { isId } from '../kernel/ids.ts';
import { type OAuthApp, toClientMetadata } from './client-metadata.ts';

/** The library's clients are our apps. It only reads them: apps are registered and changed through `apps/`. */
export function createClientAdapter(findApp: (id: string) => Promise<OAuthApp | undefined>): Adapter {
  const readOnly = () => Promise.reject(new Error('apps are not changed through the OAuth library'));
  return {
    find: async (id) => {
      if (!isId('app', id)) return undefined;
      const app = await findApp(id);
      return app && toClientMetadata(app);
    },
    upsert: readOnly,
    destroy: readOnly,
    consume: readOnly,
    findByUid: readOnly,
    findByUserCode: readOnly,
    revokeByGrantId: readOnly,
  };
}
