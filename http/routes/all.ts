/**
 * Every route, in the order in which they are tried: of two patterns that match a path, the more specific comes first.
 */
import type { Accounts } from '../../actors/accounts/accounts.ts';
import type { StoredBytes } from '../../actors/accounts/stored-bytes.ts';
import type { AuditTrail } from '../../actors/audit/audit.ts';
import type { Clock } from '../../actors/base/clock.ts';
import type { Log } from '../../actors/base/log.ts';
import type { Secrets } from '../../actors/base/secret.ts';
import type { Batches } from '../../actors/batches/model.ts';
import type { AttributeNews } from '../../actors/claiming/attribute-news.ts';
import type { Statements } from '../../actors/claiming/statements.ts';
import type { TokenGuard } from '../../actors/claiming/wrong-tokens.ts';
import type { WindowGuesses } from '../../actors/cluster/window-guesses.ts';
import type { Devices, Directory, Presence } from '../../actors/fleet/devices.ts';
import type { Profiles } from '../../actors/fleet/profiles.ts';
import type { Imports } from '../../actors/imports/imports.ts';
import type { Kits } from '../../actors/kits/model.ts';
import type { Counters } from '../../actors/limits/counters.ts';
import type { Mails } from '../../actors/mail/model.ts';
import type { SignUps } from '../../actors/mail/sign-ups.ts';
import { createTellNews } from '../../actors/mail/user-news.ts';
import type { Providers } from '../../actors/providers/model.ts';
import type { Webhooks } from '../../actors/webhooks/model.ts';
import type { Authentication } from '../auth/authentication.ts';
import type { Browsers } from '../auth/browsers.ts';
import { createLogins } from '../auth/logins.ts';
import type { ReadLogoutToken } from '../auth/logout-tokens.ts';
import type { ProviderSignIn } from '../auth/provider-sign-in.ts';
import { createSecondFactorAuth } from '../auth/second-factor.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { EventLog } from '../event-log.ts';
import type { Feed } from '../feed.ts';
import type { LabelFonts } from '../labels/fonts.ts';
import type { Route } from '../route.ts';
import type { ApiSettings, DeviceApiSettings } from '../settings.ts';
import { activationRoutes } from './activation.ts';
import { apiKeyRoutes } from './api-keys.ts';
import { assignmentRoutes } from './assignments.ts';
import { attributeRoutes } from './attributes.ts';
import { auditRoutes } from './audit.ts';
import { authRoutes } from './auth.ts';
import { batchRoutes } from './batches.ts';
import { challengeRoutes } from './challenges.ts';
import { claimWaitRoute } from './claim-wait.ts';
import { claimRoutes, createClaim } from './claims.ts';
import { customerRoutes } from './customers.ts';
import { deviceApiRoutes } from './device-api.ts';
import { deviceCredentialsRoutes } from './device-credentials.ts';
import { deviceExportRoutes } from './device-export.ts';
import { deviceInfoRoutes } from './device-infos.ts';
import { deviceListRoutes } from './device-lists.ts';
import { deviceRoutes } from './devices.ts';
import { docRoutes } from './docs.ts';
import { healthRoutes, type Readiness } from './health.ts';
import { importRoutes } from './imports.ts';
import { incomingTransferRoutes } from './incoming-transfers.ts';
import { kitClaimRoutes } from './kit-claims.ts';
import { kitRoutes } from './kits.ts';
import { labelSheetRoutes } from './label-sheets.ts';
import { labelRoutes } from './labels.ts';
import { createLargeReads } from './large-reads.ts';
import { liveRoutes } from './live.ts';
import { mailNoticeRoutes } from './mail-notices.ts';
import { mailSettingsRoutes, type ShownMailSettings } from './mail-settings.ts';
import { mobileAppRoutes } from './mobile-app.ts';
import { type BrokerAuth, mqttAuthRoutes } from './mqtt-auth.ts';
import { ownershipRoutes } from './ownership.ts';
import { passwordResetRoutes } from './password-reset.ts';
import { createPost } from './post.ts';
import { profileRoutes } from './profiles.ts';
import { providerLogoutRoutes } from './provider-logout.ts';
import { providerSignInRoutes } from './provider-sign-in.ts';
import { providerRoutes } from './providers.ts';
import { publicRoutes } from './public.ts';
import { rpcRoutes } from './rpc.ts';
import { savedViewRoutes } from './saved-views.ts';
import { type ServerOption, serverOptionRoutes } from './server-options.ts';
import { sessionRoutes } from './sessions.ts';
import { signInRoutes } from './sign-ins.ts';
import { signUpRoutes } from './sign-up.ts';
import { systemRoutes } from './system.ts';
import { takeOverRoutes } from './take-overs.ts';
import { tenantRoutes } from './tenants.ts';
import { transferRoutes } from './transfers.ts';
import { twoFactorRoutes } from './two-factor.ts';
import { usageRoutes } from './usage.ts';
import { userRoutes } from './users.ts';
import { webhookRoutes } from './webhooks.ts';

/** What routes need of the server around them. */
export interface SharedNeeds {
  readonly accounts: Accounts;
  readonly devices: Devices;
  readonly directory: Directory;
  readonly audit: AuditTrail;
  readonly imports: Imports;
  readonly batches: Batches;
  readonly kits: Kits;
  readonly webhooks: Webhooks;
  readonly providers: Providers;
  /** Sends mails; without it, none are sent. */
  readonly mails?: Mails;
  /** Lets people sign up by mail; without it, nobody does. */
  readonly signUps?: SignUps;
  readonly mailSettings?: ShownMailSettings | undefined;
  readonly serverOptions?: readonly ServerOption[] | undefined;
  readonly feed: Feed;
  readonly eventLog: EventLog;
  readonly profiles: Profiles;
  readonly secrets: Secrets;
  /** Signs what is told of devices' changes of owner. */
  readonly statements: Statements;
  readonly clock: Clock;
  readonly log: Log;
  readonly readiness: Readiness;
  /** Counts wrong secrets and passwords; without it this process counts for itself. */
  readonly counters?: Counters;
  /** Counts wrong secrets over all customers; without it this process counts for itself. */
  readonly windowGuesses?: WindowGuesses;
  readonly settings: ApiSettings;
  /** Counts what tenants have stored; without it, nobody does. */
  readonly stored?: StoredBytes;
  /** Answers what an MQTT broker asks; without it, no broker may ask. */
  readonly brokerAuth?: BrokerAuth;
  /** Counts wrong tokens of devices; without it, nobody does. */
  readonly tokenGuard?: TokenGuard;
  readonly deviceApi?: DeviceApiSettings;
  /** With those of the operator; without it, labels have ours alone. */
  readonly labelFonts?: LabelFonts;
  /** Tells of shared attributes that have changed; without it, no device hears. */
  readonly news?: Pick<AttributeNews, 'watch'>;
}

export interface RouteNeeds extends SharedNeeds {
  readonly presence: Presence;
  readonly providerSignIn: ProviderSignIn;
  readonly readLogoutToken: ReadLogoutToken;
  readonly tokens: Tokens;
  readonly browsers: Browsers;
  readonly authentication: Authentication;
}

export function allRoutes(needs: RouteNeeds): Route[] {
  const { accounts, settings, counters } = needs;
  const logins = createLogins(accounts, settings.limits, counters, needs.browsers);
  const factors = createSecondFactorAuth(needs);
  const post = createPost(needs.mails, needs.log);
  const tellNews = createTellNews(needs);
  const claim = createClaim(needs);
  const many = { ...needs, largeReads: createLargeReads(needs.clock) };
  const routes = [
    ...kitClaimRoutes(needs), // before claims: a device may be named "kit"
    ...claimRoutes(needs, claim), // before assignments: a device may be named "device"
    claimWaitRoute(needs, claim),
    ...takeOverRoutes(needs),
    ...challengeRoutes(needs),
    ...transferRoutes(needs), // likewise
    ...incomingTransferRoutes(needs),
    ...authRoutes({ ...needs, logins, factors, tellNews }),
    ...twoFactorRoutes({ ...needs, factors, tellNews }),
    ...sessionRoutes(needs),
    ...activationRoutes({ ...needs, factors, post, tellNews }),
    ...passwordResetRoutes({ ...needs, tellNews }),
    ...signUpRoutes({ ...needs, factors, tellNews }),
    ...mailSettingsRoutes(needs),
    ...serverOptionRoutes(needs),
    ...mailNoticeRoutes(needs), // before users: none has the id "mailNotices"
    ...savedViewRoutes(needs), // likewise
    ...publicRoutes(needs), // before assignments: no customer has the id "public"
    ...deviceInfoRoutes(needs), // before devices: no device has the id "types"
    ...deviceRoutes(needs),
    ...deviceCredentialsRoutes(needs),
    ...ownershipRoutes(needs),
    ...deviceListRoutes(needs),
    ...deviceExportRoutes(many),
    ...labelRoutes(needs),
    ...labelSheetRoutes(many),
    ...importRoutes(many),
    ...batchRoutes(many),
    ...kitRoutes(needs),
    ...webhookRoutes(needs),
    ...providerRoutes(needs),
    ...providerSignInRoutes({ ...needs, factors, tellNews }),
    ...providerLogoutRoutes(needs),
    ...signInRoutes({ ...needs, post }),
    ...liveRoutes(needs),
    ...profileRoutes(needs),
    ...assignmentRoutes(needs),
    ...attributeRoutes(needs),
    ...rpcRoutes(needs),
    ...customerRoutes(needs), // before tenants: no tenant has the id "customers"
    ...usageRoutes(needs),
    ...userRoutes({ ...needs, logins, tellNews }),
    ...tenantRoutes(needs),
    ...auditRoutes(needs),
    ...apiKeyRoutes(needs),
    ...mqttAuthRoutes(needs),
    ...deviceApiRoutes(needs),
    ...systemRoutes(),
    ...mobileAppRoutes(needs),
    ...healthRoutes(needs),
  ];
  return [...routes, ...docRoutes(routes)];
}
