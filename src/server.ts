import { keepCompiled } from './keep-compiled.ts';

/** The entry of the server. Nothing but what keeps compiled code is loaded before it does. */
keepCompiled(process.env);
const { serve } = await import('./serve.ts');
await serve(process.env);
