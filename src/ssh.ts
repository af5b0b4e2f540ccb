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
  type SshEvent,
  type SshLimits,
  type SshServerOptions,
  type SshServerSettings,
} from './transport/node/ssh/ssh-options.ts';
export { createSshServer, type SshServer } from './transport/node/ssh/ssh-server.ts';
export type { Certificate } from './transport/ssh/certificate.ts';
export { type GitOverSshOptions, gitOverSsh, type SshAsk } from './transport/ssh/git-over-ssh.ts';
export type { SshCommand, SshLogin } from './transport/ssh/ssh-command.ts';
