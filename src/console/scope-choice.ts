import { capScopes, type Role } from '../../config/roles.ts';
import { ALL_SCOPES, SCOPES, type Scope } from '../../config/scopes.ts';
import type { Choice, ScopeGroup } from '../../views/console/forms.ts';
import type { Form } from '../http/forms.ts';

const ofLevels = (...levels: string[]): Scope[] =>
  ALL_SCOPES.filter((scope) => levels.includes(SCOPES[scope].level));

const PRESETS = {
  read: { label: 'Read only', hint: 'Sees everything, changes nothing', scopes: ofLevels('read') },
  write: {
    label: 'Read and write',
    hint: 'All data, but not the organization',
    scopes: ofLevels('read', 'write'),
  },
  full: { label: 'Full', hint: 'The organization’s members, keys and apps too', scopes: ALL_SCOPES },
} as const;

const CUSTOM: Choice = { value: 'custom', label: 'Custom', hint: 'Exactly what it needs' };

const isPreset = (value: string): value is keyof typeof PRESETS => Object.hasOwn(PRESETS, value);

/** The presets that somebody in this role can give whole, and the choice of one's own. */
export const presetsFor = (role: Role): Choice[] => [
  ...Object.entries(PRESETS)
    .filter(([, { scopes }]) => capScopes(scopes, role).length === scopes.length)
    .map(([value, { label, hint }]) => ({ value, label, hint })),
  CUSTOM,
];

/** The preset that these scopes are, else "custom". */
export const presetOf = (scopes: readonly string[]): string =>
  Object.entries(PRESETS).find(
    ([, preset]) =>
      preset.scopes.length === scopes.length && preset.scopes.every((scope) => scopes.includes(scope)),
  )?.[0] ?? CUSTOM.value;

/** What these scopes allow, in a word or two. */
export function scopesInWords(scopes: readonly string[]): string {
  const preset = presetOf(scopes);
  if (isPreset(preset)) return PRESETS[preset].label;
  if (scopes.length === 0) return 'Nothing';
  return scopes.length <= 2 ? scopes.join(', ') : `${scopes.length} scopes`;
}

/** The scopes that a form asks for: its preset's, or those ticked. What isn't a scope is left for the API to refuse. */
export function scopesOf(form: Form): string[] {
  const preset = form.get('preset');
  return isPreset(preset) ? [...PRESETS[preset].scopes] : [...new Set(form.all('scope'))];
}

const LEVELS = { read: 'Read', write: 'Write', admin: 'Manage' } as const;

/** All scopes, by what they are of, those of `ticked` ticked. Those that the role can't give can't be ticked. */
export const scopeGroups = (ticked: readonly string[], role: Role): ScopeGroup[] =>
  [...Map.groupBy(ALL_SCOPES, (scope) => scope.split(':')[0] ?? '')].map(([of, scopes]) => ({
    of: of.charAt(0).toUpperCase() + of.slice(1),
    ticks: scopes.map((scope) => ({
      scope,
      label: LEVELS[SCOPES[scope].level],
      level: SCOPES[scope].level,
      checked: ticked.includes(scope),
      disabled: !ticked.includes(scope) && capScopes([scope], role).length === 0,
    })),
  }));
