import type { Scope } from '../../config/scopes.ts';

/** What a test has to know of a resource to walk it. */
export type Sample = {
  name: string;
  path: string;
  idPrefix: string;
  scopes: { read: Scope; write: Scope };
  /** The least that makes one. */
  least: Record<string, unknown>;
  /** What one that was made with the least shows beside `least`, its id and times. */
  defaults: Record<string, unknown>;
  /** Members with other values than the default, all at once; `id`s are filled in where they are needed. */
  more: Record<string, unknown>;
  /** A change of all that can be changed, without a step. */
  change: Record<string, unknown>;
  /** Bodies that are not valid, with the paths of their faults. */
  faults: [name: string, body: Record<string, unknown>, paths: string[]][];
};

const PROGRESS = { status: 'pending', result: null, error: null, completedAt: null };

const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`k${index}`, 'v']));

const metadataFaults: Sample['faults'] = [
  ['21 pairs', { name: 'x', metadata: pairs(21) }, ['metadata']],
  ['a value that is no text', { name: 'x', metadata: { a: 1 } }, ['metadata.a']],
];

const reference = (member: string, otherId: string): Sample['faults'] => [
  [`${member} of nothing`, { name: 'x', [member]: 'x' }, [member]],
  [`${member} of another kind`, { name: 'x', [member]: otherId }, [member]],
  [`${member} of another type`, { name: 'x', [member]: 1 }, [member]],
];

const ZEROS = '0'.repeat(26);

export const SAMPLES: Sample[] = [
  {
    name: 'prompt',
    path: '/v1/prompts',
    idPrefix: 'prm',
    scopes: { read: 'prompts:read', write: 'prompts:write' },
    least: { name: 'Greeting', content: 'Hello' },
    defaults: { folderId: null, metadata: {}, version: 1 },
    more: { metadata: { team: 'growth' } },
    change: { name: 'Welcome', metadata: { team: 'core' } },
    faults: [],
  },
  {
    name: 'folder',
    path: '/v1/folders',
    idPrefix: 'fld',
    scopes: { read: 'prompts:read', write: 'prompts:write' },
    least: { name: 'Drafts' },
    defaults: { parentId: null },
    more: {},
    change: { name: 'Old drafts' },
    faults: reference('parentId', `prm_${ZEROS}`),
  },
  {
    name: 'report',
    path: '/v1/reports',
    idPrefix: 'rpt',
    scopes: { read: 'reports:read', write: 'reports:write' },
    least: { name: 'Weekly' },
    defaults: { promptId: null, parameters: {}, metadata: {}, ...PROGRESS },
    more: { parameters: { z: [1, { deep: null }], a: 'ö' }, metadata: { team: 'growth' } },
    change: { name: 'Monthly', metadata: { team: 'core' } },
    faults: [
      ...metadataFaults,
      ...reference('promptId', `fld_${ZEROS}`),
      ['parameters that are a list', { name: 'x', parameters: [] }, ['parameters']],
      [
        'parameters of 10,001 bytes',
        { name: 'x', parameters: { a: 'x'.repeat(10_001 - '{"a":""}'.length) } },
        ['parameters'],
      ],
      ['a status', { name: 'x', status: 'completed', result: {} }, ['result', 'status']],
    ],
  },
  {
    name: 'evaluation',
    path: '/v1/evaluations',
    idPrefix: 'evl',
    scopes: { read: 'evaluations:read', write: 'evaluations:write' },
    least: { name: 'Tone' },
    defaults: { promptId: null, datasetId: null, metadata: {}, ...PROGRESS },
    more: { metadata: { team: 'growth' } },
    change: { name: 'Tone 2', metadata: { team: 'core' } },
    faults: [
      ...metadataFaults,
      ...reference('promptId', `dst_${ZEROS}`),
      ...reference('datasetId', `prm_${ZEROS}`),
    ],
  },
  {
    name: 'dataset',
    path: '/v1/datasets',
    idPrefix: 'dst',
    scopes: { read: 'evaluations:read', write: 'evaluations:write' },
    least: { name: 'Questions' },
    defaults: { description: null, items: [], itemCount: 0, metadata: {}, ...PROGRESS },
    more: { description: 'From support', metadata: { team: 'growth' } },
    change: { name: 'Answers', description: null, metadata: { team: 'core' } },
    faults: [
      ...metadataFaults,
      ['an empty description', { name: 'x', description: '' }, ['description']],
      ['items that are no list', { name: 'x', items: {} }, ['items']],
      [
        'items that are no objects',
        { name: 'x', items: [{}, 1, [], null, 'a'] },
        [1, 2, 3, 4].map((i) => `items.${i}`),
      ],
      ['1,001 items', { name: 'x', items: Array.from({ length: 1_001 }, () => ({})) }, ['items']],
      ['items that become too large', { name: 'x', items: [{ a: 'x'.repeat(1_000_000) }] }, ['items']],
      ['a count of its own', { name: 'x', itemCount: 5 }, ['itemCount']],
    ],
  },
];

/** Those that a worker moves on. */
export const WITH_STATUS = SAMPLES.filter(({ defaults }) => 'status' in defaults);
