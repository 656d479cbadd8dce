/** Sends one mail. Rejects when it could not be handed on. */
export type SendMail = (mail: { to: string; subject: string; text: string }) => Promise<void>;

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
