import { AppError } from '../kernel/errors.ts';

/** Where the work on a record stands. A worker moves it on, over the API; this service runs no model. */
export const STATUSES = ['pending', 'running', 'completed', 'failed'] as const;

export type Status = (typeof STATUSES)[number];

/** What a status may become: completed and failed are for good. The same again is no step, so that of two workers one gets it. */
const NEXT: Record<Status, readonly Status[]> = {
  pending: ['running', 'failed'],
  running: ['completed', 'failed'],
  completed: [],
  failed: [],
};

export type Progress = {
  status: Status;
  /** What came out: only of what is completed. */
  result: Record<string, unknown> | null;
  /** What went wrong: only of what has failed. */
  error: string | null;
  /** When it was completed or failed. */
  completedAt: Date | null;
};

/** A step that a worker reports. */
export type Step = {
  status?: Status | undefined;
  result?: Record<string, unknown> | undefined;
  error?: string | undefined;
};

/** Whether what stands at `from` may take that step, and what it is then: nothing new without a status in the step. */
export function decideStep(
  from: Status,
  { status: to, result, error }: Step,
  at: Date,
): { progress: Partial<Progress> } | { refused: string } {
  if (to === undefined) return { progress: {} };
  if (!NEXT[from].includes(to)) return { refused: refusal(from, to) };
  return {
    progress: {
      status: to,
      ...(to === 'completed' ? { result: result ?? null, completedAt: at } : {}),
      ...(to === 'failed' ? { error: error ?? null, completedAt: at } : {}),
    },
  };
}

function refusal(from: Status, to: Status): string {
  const next = NEXT[from].join(' or ');
  const way = next ? `it can become ${next}` : 'that is for good';
  return from === to
    ? `The status is ${from} already: ${way}.`
    : `What is ${from} can't become ${to}: ${way}.`;
}

/** A change of a record with a status, all of it, or conflict. */
export function withStep<Change extends Step>(
  { status }: Progress,
  change: Change,
  at: Date,
): Omit<Change, keyof Step> & Partial<Progress> {
  const decided = decideStep(status, change, at);
  if ('refused' in decided) throw new AppError('conflict', decided.refused);
  const { status: _status, result: _result, error: _error, ...rest } = change;
  return { ...rest, ...decided.progress };
}
