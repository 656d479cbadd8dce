import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

/** What clients may take, in milliseconds. */
export type Patience = {
  /** To send all headers of a request, and all of the request. Whoever takes longer is answered with 408. */
  headersMs: number;
  requestMs: number;
  /** Without a byte either way while a request is in hand: a client that reads nothing of its answer. */
  silenceMs: number;
  /** Between two requests of a connection. */
  idleMs: number;
};

const PATIENCE: Patience = {
  headersMs: 15_000,
  requestMs: 30_000,
  silenceMs: 60_000,
  idleMs: 65_000, // longer than the idle time of the usual load balancers
};

export type PatientServer = {
  server: Server;
  /**
   * Ends without breaking off what anybody is in the midst of. For `lameMs` it serves on, and asks each client to come with
   * a new connection the next time: what was on its way meanwhile is answered, and who balances the load sees that it isn't
   * ready. Then it waits for what is in hand, at most `forceMs`.
   */
  drain(times: { lameMs: number; forceMs: number }): Promise<void>;
};

/** An HTTP server that waits for nobody for ever, and ends when it is told to. */
export function createPatientServer(handle: RequestListener, patience = PATIENCE): PatientServer {
  const { headersMs, requestMs, silenceMs, idleMs } = patience;
  const answering = new Set<ServerResponse>();
  let isDraining = false;

  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: headersMs / 5, // by itself Node looks every 30 s
    },
    (req, res) => {
      answering.add(res);
      res.once('close', () => answering.delete(res));
      if (isDraining) res.setHeader('Connection', 'close');
      handle(req, res);
    },
  );
  server.timeout = silenceMs;

  return {
    server,
    drain: async ({ lameMs, forceMs }) => {
      isDraining = true;
      for (const res of answering) if (!res.headersSent) res.setHeader('Connection', 'close');
      await wait(lameMs);
      const force = setTimeout(() => server.closeAllConnections(), forceMs);
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
      clearTimeout(force);
    },
  };
}
