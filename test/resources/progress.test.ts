import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../src/kernel/errors.ts';
import { decideStep, type Progress, type Status, withStep } from '../../src/resources/progress.ts';

const AT = new Date('2026-01-15T10:30:00.000Z');
const STATUSES: Status[] = ['pending', 'running', 'completed', 'failed'];
const ALLOWED = ['pending→running', 'pending→failed', 'running→completed', 'running→failed'];

describe('a step of a record', () => {
  const pairs = STATUSES.flatMap((from) => STATUSES.map((to) => ({ from, to, name: `${from}→${to}` })));

  test.each(pairs)('$name is allowed just where the table says so', ({ from, to, name }) => {
    const decided = decideStep(from, { status: to }, AT);
    expect('progress' in decided).toBe(ALLOWED.includes(name));
    if ('refused' in decided) expect(decided.refused).toContain(from);
  });

  test('without a status changes nothing, whatever the status is', () => {
    for (const from of STATUSES) expect(decideStep(from, {}, AT)).toEqual({ progress: {} });
  });

  test('to running sets the status alone', () => {
    expect(decideStep('pending', { status: 'running' }, AT)).toEqual({ progress: { status: 'running' } });
  });

  test('to completed keeps the result and the time, and a result may be missing', () => {
    const result = { score: 0.5 };
    expect(decideStep('running', { status: 'completed', result }, AT)).toEqual({
      progress: { status: 'completed', result, completedAt: AT },
    });
    expect(decideStep('running', { status: 'completed' }, AT)).toEqual({
      progress: { status: 'completed', result: null, completedAt: AT },
    });
  });

  test('to failed keeps the error and the time, and no result', () => {
    expect(decideStep('pending', { status: 'failed', error: 'no model', result: { a: 1 } }, AT)).toEqual({
      progress: { status: 'failed', error: 'no model', completedAt: AT },
    });
  });

  test('that is refused says what the record can become', () => {
    expect(decideStep('pending', { status: 'completed' }, AT)).toEqual({
      refused: "What is pending can't become completed: it can become running or failed.",
    });
    expect(decideStep('running', { status: 'running' }, AT)).toEqual({
      refused: 'The status is running already: it can become completed or failed.',
    });
    expect(decideStep('completed', { status: 'pending' }, AT)).toEqual({
      refused: "What is completed can't become pending: that is for good.",
    });
  });
});

describe('a change with a step in it', () => {
  const progress = (status: Status): Progress => ({ status, result: null, error: null, completedAt: null });

  test('writes both', () => {
    expect(withStep(progress('pending'), { name: 'n', status: 'running' }, AT)).toEqual({
      name: 'n',
      status: 'running',
    });
  });

  test('is refused whole', () => {
    const change = () => withStep(progress('failed'), { name: 'n', status: 'running' }, AT);
    expect(change).toThrow(AppError);
    expect(change).toThrow(/^conflict: /);
  });
});
