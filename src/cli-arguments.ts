import { InvalidArgumentError } from 'commander';
import { isPlan, PLAN_NAMES, type Plan } from '../config/plans.ts';

/* What is typed on the command line, read. Each says in words what to give instead. */

export function parseTime(value: string): Date {
  const time = new Date(value);
  if (/^\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)$/.test(value) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Give a time with its zone, such as 2026-01-15T10:00:00Z.');
}

export function parseCount(value: string): number {
  if (!/^[1-9]\d{0,8}$/.test(value)) throw new InvalidArgumentError('Give a whole number from 1.');
  return Number(value);
}

export function parsePlan(value: string): Plan {
  if (!isPlan(value)) throw new InvalidArgumentError(`Give one of ${PLAN_NAMES.join(', ')}.`);
  return value;
}

export function parseDays(value: string): number {
  if (!/^[1-9]\d{0,2}$/.test(value)) throw new InvalidArgumentError('Give 1 to 999 days.');
  return Number(value);
}

export function parseName(value: string): string {
  const name = value.trim();
  if (name.length < 1 || name.length > 100) throw new InvalidArgumentError('Give 1 to 100 characters.');
  return name;
}
