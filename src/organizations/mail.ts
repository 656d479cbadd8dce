import type { Role } from '../../config/roles.ts';

/** `organization` was typed by somebody whom the reader may not know: it can carry neither a link nor lines of its own. */
export const invitationMail = ({
  url,
  organization,
  role,
}: {
  url: string;
  organization: string;
  role: Role;
}) => ({
  subject: `Join ${unlinked(organization)} on PromptReports`,
  text: `Hello,

you were invited to the organization "${unlinked(organization)}" on PromptReports, as ${role}. To see the
invitation and to accept it, open

${url}

within 7 days. If you don't know this organization, ignore this mail: without the link nothing happens.
`,
});

/** What mail programs would turn into a link, taken apart. */
const unlinked = (text: string): string =>
  text
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[:/\\@<>"]+/g, ' ')
    .replace(/\.(?=\S)/g, '. ');
