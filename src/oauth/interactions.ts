import Router from '@koa/router';
import type { Context } from 'koa';
import type Provider from 'oidc-provider';
import { errors } from 'oidc-provider';
import type { Csrf } from '../http/csrf.ts';
import { seeOther } from '../http/page.ts';
import { allowFormTarget } from '../http/security-headers.ts';
import { AppError } from '../kernel/errors.ts';
import type { RegisteredClient } from './client-metadata.ts';
import { decideConsent } from './consent.ts';
import {
  type ConsentPageDeps,
  expired,
  httpsOnly,
  type Interaction,
  sameRequestUrl,
  showConsent,
  whatIsAsked,
} from './consent-page.ts';
import { type GiveGrantDeps, giveGrant } from './give-grant.ts';

export type InteractionDeps = GiveGrantDeps &
  ConsentPageDeps & {
    csrf: Csrf;
    /** Where a person sets up a second factor, and then goes on to `returnTo`. */
    secondFactorSetup(returnTo: string): string;
    signInForm: {
      show(ctx: Context, options: SignInOptions & { email: string }): Promise<void>;
      /** Checks the posted form. Shows it again by itself, and gives undefined, when it isn't right. */
      submit(
        ctx: Context,
        options: SignInOptions,
      ): Promise<{ userId: string; methods: readonly string[] } | undefined>;
    };
  };

type SignInOptions = {
  action: string;
  returnTo: string;
  app: { name: string; logoUrl?: string | undefined };
};

/**
 * The steps of an authorization that a person sees: sign-in and consent. Each step is asked for by the library
 * and returns to the library, which decides what is next; none leads to another.
 */
export function interactionRoutes(deps: InteractionDeps): Router {
  const { provider } = deps;
  const router = new Router();
  const path = '/oauth/interaction/:uid';

  router.get(path, async (ctx) => {
    const { interaction, client } = await open(ctx, deps);
    if (interaction.prompt.name === 'login') {
      await deps.signInForm.show(ctx, {
        ...signInOptions(interaction, client),
        email: hintedEmail(interaction),
      });
    } else {
      await showConsent(ctx, deps, interaction, client);
    }
  });

  router.post(`${path}/login`, async (ctx) => {
    const { interaction, client } = await open(ctx, deps, 'login');
    const signedIn = await deps.signInForm.submit(ctx, signInOptions(interaction, client));
    if (!signedIn) return;
    const { userId, methods } = signedIn;
    const result = { login: { accountId: userId, amr: [...methods], remember: true } };
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result);
    await replaceSessionOfAnother(provider, interaction, userId);
    seeOther(ctx, returnTo);
  });

  router.post(`${path}/consent`, async (ctx) => {
    const form = await deps.csrf.readForm(ctx);
    const { interaction, client } = await open(ctx, deps, 'consent');
    const userId = interaction.session?.accountId;
    if (!userId || !(await deps.findAccount(userId))) throw expired();

    const decision = form.get('decision');
    if (decision === 'deny') {
      const denial = { error: 'access_denied', error_description: 'the person denied the request' };
      return seeOther(
        ctx,
        await provider.interactionResult(ctx.req, ctx.res, denial, { mergeWithLastSubmission: false }),
      );
    }
    if (decision !== 'allow') throw new AppError('bad_request', 'Choose Allow or Deny.');

    const asked = whatIsAsked(interaction);
    const answer = { organizationId: form.get('organization'), scopes: form.all('scope') };
    const consent = decideConsent(
      { scopes: asked.scopes, identityAsked: asked.identity.includes('openid') },
      await deps.membershipsOf(userId),
      answer,
    );
    if (consent.kind === 'invalid') {
      return showConsent(ctx, deps, interaction, client, { ...answer, message: consent.message });
    }
    if (consent.kind === 'second_factor_required') {
      return seeOther(ctx, deps.secondFactorSetup(sameRequestUrl(interaction)));
    }
    const grantId = await giveGrant(deps, {
      userId,
      appId: client.clientId,
      resources: asked.resources,
      identityScopes: asked.identity,
      decision: consent,
      ip: ctx.ip,
    });
    seeOther(ctx, await provider.interactionResult(ctx.req, ctx.res, { consent: { grantId } }));
  });

  return router;
}

/** The interaction of this browser, which has to be the one of the path and at the step that was called. */
async function open(
  ctx: Context,
  { provider }: InteractionDeps,
  step?: 'login' | 'consent',
): Promise<{ interaction: Interaction; client: RegisteredClient }> {
  let interaction: Interaction;
  try {
    interaction = await provider.interactionDetails(ctx.req, ctx.res);
  } catch (error) {
    if (error instanceof errors.SessionNotFound) throw expired();
    throw error;
  }
  if (interaction.uid !== ctx['params'].uid) throw expired();
  if (step && interaction.prompt.name !== step) {
    throw new AppError(
      'bad_request',
      'This page is not the current step any more. Go back to the app and start again.',
    );
  }
  const client = await provider.Client.find(String(interaction.params['client_id']));
  if (!client) throw expired();
  const redirectUri = interaction.params['redirect_uri'];
  if (typeof redirectUri === 'string') allowFormTarget(ctx, redirectUri);
  return { interaction, client: client as unknown as RegisteredClient };
}

function signInOptions(interaction: Interaction, client: RegisteredClient): SignInOptions {
  const action = `/oauth/interaction/${interaction.uid}/login`;
  return {
    action,
    app: { name: client.clientName ?? client.clientId, logoUrl: httpsOnly(client.logoUri) },
    returnTo: `/oauth/interaction/${interaction.uid}`,
  };
}

const hintedEmail = (interaction: Interaction): string => {
  const hint = interaction.params['login_hint'];
  return typeof hint === 'string' && hint.length <= 254 && hint.includes('@') ? hint : '';
};

/**
 * Signing in as somebody else ends the earlier person's session first. Left to itself the library would put a
 * page in between that submits itself by script.
 */
async function replaceSessionOfAnother(
  provider: Provider,
  interaction: Interaction,
  userId: string,
): Promise<void> {
  const uid = interaction.session?.uid;
  if (!uid || interaction.session?.accountId === userId) return;
  const session = await provider.Session.findByUid(uid);
  if (!session) return;
  session.authorizations = {};
  session.loginAccount({ accountId: userId });
  await session.persist();
}
