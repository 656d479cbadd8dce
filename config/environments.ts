/** Which data a credential sees: `live` is production, `test` is the sandbox. */
export const ENVIRONMENTS = ['live', 'test'] as const;

export type Environment = (typeof ENVIRONMENTS)[number];
