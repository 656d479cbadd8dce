/**
 * News of what credentials rest on, from whichever process changed it: "<kind>:<id>", with kind one of key, user,
 * app, organization.
 */
export type ChangeFeed = {
  onChange(listener: (tag: string) => void): void;
  /** Called when news may have been missed, before `isLive` is true again. */
  onGap(listener: () => void): void;
  /**
   * Whether every change that was committed more than about half a second ago has been told. False while the
   * connection is lost or doesn't answer: what was remembered must then not be trusted.
   */
  isLive(): boolean;
};
