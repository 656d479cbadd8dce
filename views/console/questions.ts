/** Pages that several subjects share: a question before something that can’t be undone, and a secret shown once. */
export type SharedPages = {
  'console/confirm': ConfirmPage;
  'console/secret': SecretPage;
};

/** A question before something that can't be undone. */
type ConfirmPage = {
  title: string;
  paragraphs: readonly string[];
  action: string;
  submit: string;
  cancelUrl: string;
  notice?: string | undefined;
};

/** A secret, shown this once. */
type SecretPage = {
  title: string;
  lead: string;
  label: string;
  value: string;
  /** The variable that it is kept in. */
  variable: string;
  notes: readonly string[];
  curl?: string | undefined;
  /** Further values that belong to it, such as a client id. */
  facts: readonly { label: string; value: string }[];
  doneUrl: string;
};
