/** Everything that a thief would like to find, by what it is. */
export type Canaries = {
  plant(name: string, value: string | undefined): string;
  /** The names of those that stand in there, in whatever spelling. */
  findings(haystack: Buffer | string): string[];
  readonly planted: ReadonlyMap<string, string>;
};

export function createCanaries(): Canaries {
  const planted = new Map<string, string>();
  return {
    planted,
    plant: (name, value) => {
      if (!value || value.length < 8) throw new Error(`no ${name}`);
      planted.set(name, value);
      return value;
    },
    findings: (haystack) => {
      const text = typeof haystack === 'string' ? haystack : haystack.toString('latin1');
      return [...planted]
        .filter(([, value]) => spellings(value).some((spelling) => text.includes(spelling)))
        .map(([name]) => name);
    },
  };
}

/** The spellings in which a value may have been kept. */
function spellings(value: string): string[] {
  const plain = Buffer.from(value);
  const decoded = /^[\w-]{40,}$/.test(value) ? [Buffer.from(value, 'base64url')] : [];
  return [plain, ...decoded].flatMap((bytes) => [
    ...(bytes === plain ? [value, encodeURIComponent(value)] : []),
    bytes.toString('hex'),
    // The three places at which base64 can begin; without the ends, which depend on what stands beside them.
    ...[0, 1, 2].flatMap((offset) => {
      const shifted = Buffer.concat([Buffer.alloc(offset), bytes]);
      const text = shifted
        .toString('base64')
        .replaceAll('=', '')
        .slice(offset === 0 ? 0 : 4, -2);
      return [text, text.replaceAll('+', '-').replaceAll('/', '_')];
    }),
  ]);
}
