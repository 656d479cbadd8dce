/** A first request, to paste into a terminal. `credential`: the variable that holds it. */
export const curlFor = (apiUrl: string, credential: string): string =>
  `curl ${apiUrl}/v1/me \\\n  -H "Authorization: Bearer ${credential}"`;
