import type { Choice, FormOf } from './forms.ts';

/** Members and invitations. */
export type MemberPages = {
  'console/members': MembersPage;
  'console/member': MemberPage;
  'console/invite': InvitePage;
};

export type MemberRow = {
  url: string;
  name: string | undefined;
  email: string;
  role: string;
  invited: boolean;
  isSelf: boolean;
  since: string;
};

type MembersPage = {
  members: readonly MemberRow[];
  nextUrl: string | undefined;
  inviteUrl: string | undefined;
  /** What was done a moment ago. */
  done: string | undefined;
};

type MemberPage = FormOf<{ role: string }> & {
  member: MemberRow;
  /** Those that the reader may give; empty where they may not change this one. */
  roles: readonly Choice[];
  removeUrl: string | undefined;
};

type InvitePage = FormOf<{ email: string; role: string }> & { roles: readonly Choice[] };
