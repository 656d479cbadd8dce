import Bowser from 'bowser';

/** A browser as its person may recognise it, from what its User-Agent header claims: "Firefox on Windows". */
export function deviceOf(userAgent: string): { label: string; kind: 'computer' | 'phone' | 'unknown' } {
  if (userAgent === '') return { label: 'Unknown browser', kind: 'unknown' };
  const { browser, os, platform } = Bowser.parse(userAgent);
  const kind = { desktop: 'computer', mobile: 'phone', tablet: 'phone' }[platform.type ?? ''] as
    | 'computer'
    | 'phone'
    | undefined;
  const system = os.name ? ` on ${os.name}` : '';
  return {
    label: browser.name ? `${browser.name}${system}` : `Unknown browser${system}`,
    kind: kind ?? 'unknown',
  };
}
