/** Migrations only go forward: a step back is a new migration. */
export const down = (): Promise<void> => Promise.reject(new Error('Migrations only go forward'));
