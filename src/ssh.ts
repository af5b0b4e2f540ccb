/**
 * packwire/ssh: an SSH server that runs git's services and nothing else. Loads ssh2; no other entry point does.
 *
 * @module
 */
export { type HostKey, loadHostKeys } from './transport/node/ssh/host-keys.ts';
export { keyFingerprint } from './transport/node/ssh/key-fingerprint.ts';
export {
  DEFAULT_SSH_LIMITS,
  type SshAuthenticator,
  type SshCommand,
  type SshEvent,
  type SshLimits,
  type SshLogin,
  type SshServerOptions,
} from './transport/node/ssh/ssh-options.ts';
export { createSshServer, type SshServer } from './transport/node/ssh/ssh-server.ts';
export type { Certificate } from './transport/ssh/certificate.ts';
