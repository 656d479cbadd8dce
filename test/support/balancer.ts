import { type ServerProcess, serverIsReady } from './server-process.ts';

/** Sends each request to the next node that is ready, and asks each node every so often, as load balancers do. */
export function createBalancer(nodes: readonly ServerProcess[], everyMs = 50) {
  const ready = new Set<ServerProcess>(nodes);
  let isOver = false;
  let turn = 0;

  const watch = async (node: ServerProcess): Promise<void> => {
    while (!isOver) {
      if (await serverIsReady(node.port)) ready.add(node);
      else ready.delete(node);
      await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
  };
  const watching = Promise.all(nodes.map(watch));

  return {
    next: (): ServerProcess => {
      turn += 1;
      const node = [...ready][turn % ready.size];
      if (!node) throw new Error('no node is ready');
      return node;
    },
    /** Whether requests are sent to it at present. */
    sendsTo: (node: ServerProcess): boolean => ready.has(node),
    stop: async (): Promise<void> => {
      isOver = true;
      await watching;
    },
  };
}
