/**
 * Every value that a header was sent with, as it stands in Node's flat list of names and values: `headers` keeps only the
 * first of several Host or Authorization headers, silently. `name`: in lower case.
 */
export function rawHeaderValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const sent = rawHeaders[i] as string;
    if (sent.length === name.length && sent.toLowerCase() === name) values.push(rawHeaders[i + 1] as string);
  }
  return values;
}
