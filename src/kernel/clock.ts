/** The time, as a value that is passed in: decisions that depend on it stay pure and testable. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** Whole seconds since 1970, as JWTs and the rate-limit headers count. */
export const epochSeconds = (at: Date): number => Math.floor(at.getTime() / 1000);
