import type { Adapter } from 'oidc-provider';
import { isId } from '../kernel/ids.ts';
import { type OAuthApp, toClientMetadata } from './client-metadata.ts';

export type ClientAdapterDeps = {
  findApp(id: string): Promise<OAuthApp | undefined>;
  /** The keys at an app's `jwks_uri`, as far as they are known. */
  keysAt(jwksUri: string): { keys: object[] };
  /** Whether a client_id may be the URL of a metadata document. */
  documents: boolean;
};

/** The library's clients are our apps. It only reads them: apps are registered and changed through `apps/`. */
export function createClientAdapter({ findApp, keysAt, documents }: ClientAdapterDeps): Adapter {
  const readOnly = () => Promise.reject(new Error('apps are not changed through the OAuth library'));
  return {
    find: async (id) => {
      if (id.startsWith('https://') ? !documents : !isId('app', id)) return undefined;
      const app = await findApp(id);
      return app && toClientMetadata(app, app.jwksUri === undefined ? undefined : keysAt(app.jwksUri));
    },
    upsert: readOnly,
    destroy: readOnly,
    consume: readOnly,
    findByUid: readOnly,
    findByUserCode: readOnly,
    revokeByGrantId: readOnly,
  };
}
