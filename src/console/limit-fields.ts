import type { Form } from '../http/forms.ts';

type Limits = { perMinute?: number | undefined; perDay?: number | undefined; burst?: number | undefined };

const NAMES = ['perMinute', 'perDay', 'burst'] as const;

export const LIMIT_FIELDS = NAMES.map((name) => `limits.${name}`);

/** The lower limits of a key's or an app's own, as fields of a form. */
export const limitValues = (limits: Limits) => ({
  perMinute: String(limits.perMinute ?? ''),
  perDay: String(limits.perDay ?? ''),
  burst: String(limits.burst ?? ''),
});

export const limitValuesOfForm = (form: Form) => ({
  perMinute: form.get('perMinute').trim(),
  perDay: form.get('perDay').trim(),
  burst: form.get('burst').trim(),
});

/** As the API takes them. A text that is no whole number is left as it is: the API says what it has to be. */
export function limitsOfForm(form: Form): Record<string, number | string> {
  const values = limitValuesOfForm(form);
  return Object.fromEntries(
    NAMES.filter((name) => values[name] !== '').map((name) => [
      name,
      /^\d{1,15}$/.test(values[name]) ? Number(values[name]) : values[name],
    ]),
  );
}

/** In words; empty where the plan's hold. */
export const limitsInWords = ({ perMinute, perDay, burst }: Limits): { label: string; value: number }[] =>
  [
    { label: 'a minute', value: perMinute },
    { label: 'a day', value: perDay },
    { label: 'a second', value: burst },
  ].flatMap(({ label, value }) => (value === undefined ? [] : [{ label, value }]));
