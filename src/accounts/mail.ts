/**
 * Sends one mail. Rejects when it could not be handed on, in bounded time. `messageId`: by which a reader's mail program knows one
 * that is sent twice.
 */
export type SendMail = (mail: {
  to: string;
  subject: string;
  text: string;
  messageId?: string;
}) => Promise<void>;

type Link = { url: string; name: string };

export const confirmMail = ({ url, name }: Link) => ({
  subject: 'Confirm your e-mail address',
  text: `Hello ${name},

somebody, we hope you, signed up for PromptReports with this address. To confirm that it is yours, open

${url}

within 24 hours. If it wasn't you, ignore this mail: without the link nothing happens.
`,
});

export const alreadyRegisteredMail = ({ url, name }: Link) => ({
  subject: 'You already have an account',
  text: `Hello ${name},

somebody, perhaps you, tried to sign up for PromptReports with this address. There is an account for it already.
To choose a new password, open

${url}

If it wasn't you, ignore this mail: nothing has changed.
`,
});

export const resetMail = ({ url, name }: Link) => ({
  subject: 'Choose a new password',
  text: `Hello ${name},

to choose a new password for PromptReports, open

${url}

within one hour. If you didn't ask for this, ignore this mail: your password stays as it is.
`,
});

export const changeEmailMail = ({ url, name }: Link) => ({
  subject: 'Confirm your new e-mail address',
  text: `Hello ${name},

you asked to use this address for your PromptReports account. To confirm that it is yours, open

${url}

within 24 hours. If you didn't ask for this, ignore this mail: without the link nothing happens.
`,
});

export const addressInUseMail = ({ name }: { name: string }) => ({
  subject: 'Somebody asked to use your address',
  text: `Hello ${name},

somebody, perhaps you, asked to use this address for another PromptReports account. It belongs to yours already, so
nothing has changed.
`,
});

const SECURE_IT = `choose a new password at once (on the sign-in page, "Forgot your password?"), then look at
the sessions and sign-in methods of your account`;

/** Told to who could be harmed by it. `what`: a sentence without its full stop; `remedy`: what to do if it wasn't them. */
export const noticeMail = ({
  name,
  subject = 'Your PromptReports account was changed',
  what,
  remedy = SECURE_IT,
}: {
  name: string;
  subject?: string;
  what: string;
  remedy?: string;
}) => ({
  subject,
  text: `Hello ${name},

${what}.

If this was you, there is nothing to do. If it wasn't, ${remedy}.
`,
});
