/**
 * packwire/server: what the reference server is made of, for servers of other shapes: who may do what, and how much at once.
 *
 * @module
 */
export {
  type AccessRule,
  isPermitted,
  type Permission,
  type PermissionQuestion,
} from './server/access/access-rules.ts';
export {
  type AccessToken,
  formatAccessToken,
  hashSecret,
  makeAccessToken,
  matchesSecret,
  parseAccessToken,
} from './server/access/access-token.ts';
export { admittedOf } from './server/access/admitted.ts';
export { Application, type ApplicationOptions, type Question } from './server/access/application.ts';
export {
  authenticateByApplication,
  createApplicationAuthorizer,
  type Evidence,
} from './server/access/application-authorizer.ts';
export type {
  AccessDecision,
  AccessRequest,
  Authorizer,
  Operation,
  RefChange,
  TransportName,
} from './server/access/authorizer.ts';
export {
  type Admitted,
  createHttpAccess,
  type HttpAccess,
  type HttpAccessOptions,
  type HttpKnock,
} from './server/access/http-access.ts';
export { type HttpCredentials, parseAuthorization } from './server/access/http-credentials.ts';
export { httpIdentities } from './server/access/http-identities.ts';
export {
  createWatchfulAuthorizer,
  type Identify,
  type IdentifyContext,
  Identities,
  type LoginGuard,
} from './server/access/identities.ts';
export { matchesPath, matchesSomePath } from './server/access/path-pattern.ts';
export type { People } from './server/access/people.ts';
export { identifyAmong } from './server/access/people-identifier.ts';
export {
  createPushAuthorization,
  type PushAuthorizationOptions,
} from './server/access/push-authorization.ts';
export { PushNotifier, type PushNotifierOptions } from './server/access/push-notifier.ts';
export { createRuleAuthorizer } from './server/access/rule-authorizer.ts';
export {
  createSshAccess,
  type SshAccess,
  type SshAccessOptions,
  type SshRepository,
  servedTo,
} from './server/access/ssh-access.ts';
export {
  ANONYMOUS,
  type Credential,
  isAnonymous,
  type Scope,
  type Subject,
} from './server/access/subject.ts';
export { authenticateToken, type StoredToken, type TokenStore } from './server/access/token-authenticator.ts';
export {
  type Admission,
  type AdmissionOptions,
  type AdmissionState,
  createAdmission,
  type Entry,
} from './server/admission/admission.ts';
export { admitClients } from './server/admission/admit-clients.ts';
export type { LoadProbe } from './server/admission/load-probe.ts';
export type { LoginAttempt } from './server/admission/login-throttle.ts';
export { ownerByPath } from './server/admission/measures.ts';
export type { Measures, PushedTo } from './server/admission/quotas.ts';
export type { Asker } from './server/admission/request-rates.ts';
export {
  type AdmissionOverrides,
  type AdmissionSettings,
  type AdmittedKind,
  admissionSettings,
  defaultAdmission,
  type KindSettings,
  type LoginSettings,
  type Machine,
  type QuotaSettings,
  type RateSettings,
  type ShedSettings,
} from './server/admission/settings.ts';
export type { Readings, Trouble } from './server/admission/shed-policy.ts';
export type { HealthState, ServerHealth } from './server/doors/health.ts';
export { type HealthServer, listenHealth } from './server/doors/health-server.ts';
export {
  DEFAULT_HTTP_DOOR_LIMITS,
  type HttpDoorLimits,
  type HttpDoorSettings,
} from './server/doors/http-door-settings.ts';
export {
  listenSsh,
  type RunningSshDoor,
  type SshCommandSummary,
  type SshDoorOptions,
  type SshDoorSettings,
} from './server/doors/ssh-door.ts';
export type { TlsSettings } from './server/doors/tls-settings.ts';
export { trustedNetworks } from './server/doors/trusted-networks.ts';
export { type HttpServerOptions, listenHttp, type RunningHttpServer } from './server/http-server.ts';
export { addressKey } from './server/limits/address-key.ts';
export { FairGate, type GateLimits, type Place, type Visitor } from './server/limits/fair-gate.ts';
export { type Rate, TokenBuckets } from './server/limits/token-bucket.ts';
