/** Preloaded into a server (`node --import`): its clock is CLOCK_STEP_MS ahead of the machine's. */
const stepMs = Number(process.env['CLOCK_STEP_MS']);
const RealDate = Date;

globalThis.Date = class extends RealDate {
  constructor(...given: [] | [value: number | string | Date]) {
    if (given.length === 0) super(RealDate.now() + stepMs);
    else super(...given);
  }

  static override now(): number {
    return RealDate.now() + stepMs;
  }
} as DateConstructor;
