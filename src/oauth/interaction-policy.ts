import { interactionPolicy } from 'oidc-provider';

/**
 * When a person has to sign in or consent: the library's rules, and one more. A session whose person was
 * deactivated (or deleted) counts as none, before consent is looked at.
 */
export function createInteractionPolicy() {
  const policy = interactionPolicy.base();
  policy
    .get('login')
    ?.checks.add(
      new interactionPolicy.Check(
        'account_unavailable',
        'End-User authentication is required',
        'login_required',
        (ctx) => Boolean(ctx.oidc.session?.accountId && !ctx.oidc.account),
      ),
    );
  return policy;
}
