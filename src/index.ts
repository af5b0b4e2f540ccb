/**
 * packwire: a Git server engine. Repositories in files or memory, served to real git over HTTP or any stream.
 *
 * @module
 */
export type { ByteStream, Cancellable, Progress, ProgressListener } from './core/byte-stream.ts';
export { type ErrorCode, type ErrorDetail, GitError, isGitError } from './core/errors.ts';
export { DEFAULT_LIMITS, type Limits } from './core/limits.ts';
export { nodeRuntime } from './core/node/runtime.ts';
export {
  type ObjectFormat,
  type ObjectFormatName,
  type ObjectId,
  objectFormatByName,
  SHA1,
  SHA256,
} from './core/object-id.ts';
export type { ObjectKind } from './core/object-kind.ts';
export { portableRuntime } from './core/portable/runtime.ts';
export type { Runtime } from './core/runtime.ts';
export type {
  ObjectDatabase,
  ObjectHeader,
  ObjectReader,
  ObjectTransaction,
  RawObject,
} from './odb/object-database.ts';
export { createThreadTaskPool, type ThreadTaskPoolOptions } from './pack/node/thread-task-pool.ts';
export type { TaskPool } from './pack/task-pool.ts';
export type { Admit, Pass, Work, WorkKind } from './protocol/admission.ts';
export { type ReceivePackOptions, receivePack } from './protocol/receive-pack.ts';
export {
  type ProtocolVersion,
  parseProtocolVersion,
  type ServiceMode,
  type ServiceOptions,
} from './protocol/service.ts';
export { type UploadArchiveOptions, uploadArchive } from './protocol/upload-archive.ts';
export { type UploadPackOptions, uploadPack } from './protocol/upload-pack.ts';
export type {
  Identity,
  RefDatabase,
  RefTarget,
  RefUpdate,
  RefUpdateOutcome,
  ResolvedRef,
} from './refs/ref-database.ts';
export { createMemoryRepository } from './repository/memory-repository.ts';
export { inNamespace } from './repository/namespace.ts';
export { type ConfigSources, commandEntry, configSources } from './repository/node/config/config-sources.ts';
export { initRepository, openRepository } from './repository/node/files-repository.ts';
export {
  createRepositoryDirectory,
  type RepositoryDirectory,
  type RepositoryDirectoryOptions,
} from './repository/node/repository-directory.ts';
export {
  type ProposedUpdate,
  type PushContext,
  type PushHooks,
  type RefUpdateAuthorizer,
  type Rejection,
  reject,
  type UpdatesAuthorizer,
} from './repository/push/hooks.ts';
export type {
  JudgedCertificate,
  JudgedNonce,
  PushCertificate,
  SignatureCheck,
} from './repository/push/push-certificate.ts';
export type { RefCommand } from './repository/push/ref-command.ts';
export type { RefPolicy } from './repository/push/ref-policy.ts';
export type { SignatureVerifier } from './repository/push/signature-verifier.ts';
export type { Repository } from './repository/repository.ts';
export type { AdmitClient, ClientWork, WorkOrigin } from './transport/client-work.ts';
export type { DaemonRequest } from './transport/git-daemon/request-line.ts';
export {
  type DaemonOpening,
  type DaemonOptions,
  serveDaemonConnection,
} from './transport/git-daemon/serve-connection.ts';
export type { HttpAnswer } from './transport/http/answer.ts';
export { createGitServer } from './transport/http/git-server.ts';
export type {
  GitServer,
  GitServerOptions,
  HttpClient,
  HttpExchange,
  RepositoryResolver,
  Verdict,
} from './transport/http/options.ts';
export {
  type DaemonListener,
  type DaemonListenerOptions,
  listenGitDaemon,
} from './transport/node/git-daemon-listener.ts';
export {
  type NodeListener,
  type NodeListenerOptions,
  nodeListener,
  type RequestSummary,
} from './transport/node/http-listener.ts';
export { serveOverPipes } from './transport/node/stdio.ts';
