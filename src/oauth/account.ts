/** What the OAuth endpoints need to know of a person. */
export type Account = { id: string; email: string; emailConfirmed: boolean; name: string };
