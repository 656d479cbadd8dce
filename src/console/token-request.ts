import inject from 'light-my-request';

export type TokenAnswer = { status: number; body: Record<string, unknown> };

/** What an app would send to the token endpoint, as a form; `ip`: of the person who tries it. */
export type RequestToken = (form: Record<string, string>, ip: string) => Promise<TokenAnswer>;

/**
 * Asks our own token endpoint within this process, through everything that a request from outside goes through: host, limits,
 * transaction, log. Nothing goes over a network, so that it works wherever the service stands, and counts as secure.
 */
export const createTokenRequest =
  (deps: { apiUrl: string; handle: (...pair: Parameters<inject.DispatchFunc>) => void }): RequestToken =>
  async (form, ip) => {
    const answer = await inject(
      (request, response) => {
        Object.assign(request.socket, { encrypted: true });
        deps.handle(request, response);
      },
      {
        method: 'POST',
        url: '/oauth/token',
        remoteAddress: ip,
        headers: { host: new URL(deps.apiUrl).host, 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams(form).toString(),
      },
    );
    const body: unknown = answer.json();
    return { status: answer.statusCode, body: isObject(body) ? body : {} };
  };

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
