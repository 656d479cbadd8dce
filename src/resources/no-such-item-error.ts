/** An item was to refer to another of the same owner that isn't there, or went at that moment. */
export class NoSuchItemError extends Error {
  override readonly name = 'NoSuchItemError';
  /** The member that refers to it. */
  readonly field: string;

  constructor(field: string, options?: ErrorOptions) {
    super(`${field} names no item of this owner`, options);
    this.field = field;
  }
}
