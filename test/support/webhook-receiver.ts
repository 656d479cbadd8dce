import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A request that a receiver got. */
export type Received = {
  headers: Record<string, string>;
  body: string;
  event: { id: string; type: string; apiVersion: string; createdAt: string; data: Record<string, unknown> };
  atMs: number;
};

export type Behaviour = (response: ServerResponse, received: Received) => void;

export const answering =
  (status: number, headers: Record<string, string> = {}, body = ''): Behaviour =>
  (response) => {
    response.writeHead(status, headers).end(body);
  };
/** Reads the request and never says anything. */
export const hanging: Behaviour = () => {};
export const resetting: Behaviour = (response) => void response.socket?.resetAndDestroy();

/** A customer's server: keeps what it gets, and behaves as it is told to. */
export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

export async function startReceiver(first: Behaviour = answering(204)) {
  let behaviour = first;
  const received: Received[] = [];
  let told = () => {};
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const got: Received = {
      headers: request.headers as Record<string, string>,
      body,
      event: JSON.parse(body) as Received['event'],
      atMs: performance.now(),
    };
    received.push(got);
    behaviour(response, got);
    told();
  };
  const server = createServer((request, response) => {
    take(request, response).catch(() => response.destroy()); // the sender was killed half way
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    behave: (next: Behaviour) => {
      behaviour = next;
    },
    /** Resolves when what came so far satisfies `enough`; rejects after `withinMs`. */
    until: async (enough: (received: readonly Received[]) => boolean, withinMs = 20_000): Promise<void> => {
      const deadline = performance.now() + withinMs;
      while (!enough(received)) {
        const left = deadline - performance.now();
        if (left <= 0) throw new Error(`not within ${withinMs} ms: ${received.length} requests came`);
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          told = resolve;
          timer = setTimeout(resolve, left);
        });
        clearTimeout(timer);
      }
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Throws unless the signature is right for the secret, as a customer's own code would find. */
export const verifySignature = (secret: string, { body, headers }: Received): unknown =>
  new Webhook(secret).verify(body, headers);
