type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The members of a parsed body that were sent, without those that are undefined. */
export const given = <T extends object>(value: T): Given<T> =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Given<T>;
