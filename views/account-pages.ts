/** What the pages of a person's own account need. Times are shown in the reader's zone where scripts run, else in UTC. */
export type AccountPages = {
  'account/profile': ProfilePage;
  'account/email': EmailPage;
  'account/password': PasswordPage;
  'account/sessions': SessionsPage;
};

type ProfilePage = {
  name: string;
  email: string;
  error?: string | undefined;
  done?: 'name' | 'email' | 'password' | undefined;
};

type EmailPage = { present: string; typed: string; error?: string | undefined };

type PasswordPage = {
  /** For password managers: which account this is. */
  email: string;
  errors: { present?: string; next?: string };
};

type SessionsPage = {
  /** This browser's comes first. */
  sessions: readonly {
    id: string;
    device: { label: string; kind: 'computer' | 'phone' | 'unknown' };
    /** "" when it is not known. */
    network: string;
    signedInAt: Date;
    lastSeenAt: Date;
    current: boolean;
  }[];
  done: boolean;
};
