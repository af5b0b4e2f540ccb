/**
 * The services as HTTP offers them, one row each.
 *
 * @module
 */
import type { ByteStream } from '../../core/byte-stream.ts';
import type { Limits } from '../../core/limits.ts';
import { type ReceivePackOptions, receivePack } from '../../protocol/receive-pack.ts';
import type { ServiceOptions } from '../../protocol/service.ts';
import { uploadArchive } from '../../protocol/upload-archive.ts';
import { type UploadPackOptions, uploadPack } from '../../protocol/upload-pack.ts';
import type { Repository } from '../../repository/repository.ts';
import type { ServiceName } from './route.ts';

/** What each service takes beyond what the transport knows. */
export interface ServiceSettings {
  readonly fetch: Omit<UploadPackOptions, keyof ServiceOptions>;
  readonly push: Omit<ReceivePackOptions, keyof ServiceOptions>;
}

export interface HttpService {
  /** The key of the repository's configuration that switches it on and off: `http.<configKey>`. */
  readonly configKey: string;
  /** Whom it is for where that is not set, by `GitServerOptions.defaults`. */
  readonly offeredTo: Readonly<Record<'packwire' | 'git', 'all' | 'authenticated'>>;
  /** What the client is about to do, for the application to allow. */
  readonly operation: 'fetch' | 'archive' | 'push';
  readonly intent: 'read' | 'write';
  /** Ceiling of a request body after decompression; `undefined` where the service counts its own. */
  maxRequestBytes(limits: Limits): number | undefined;
  run(
    repository: Repository,
    request: ByteStream,
    options: ServiceOptions,
    settings: ServiceSettings,
  ): AsyncGenerator<Uint8Array>;
}

const SERVICES: Readonly<Record<ServiceName, HttpService>> = {
  'git-upload-pack': {
    configKey: 'uploadpack',
    offeredTo: { packwire: 'all', git: 'all' },
    operation: 'fetch',
    intent: 'read',
    maxRequestBytes: (limits) => limits.maxFetchRequestBytes,
    run: (repository, request, options, { fetch }) =>
      uploadPack(repository, request, { ...fetch, ...options }),
  },
  'git-receive-pack': {
    configKey: 'receivepack',
    offeredTo: { packwire: 'all', git: 'authenticated' }, // here the application's authorize decides
    operation: 'push',
    intent: 'write',
    maxRequestBytes: () => undefined,
    run: (repository, request, options, { push }) =>
      receivePack(repository, request, { ...push, ...options }),
  },
  'git-upload-archive': {
    configKey: 'uploadarchive',
    offeredTo: { packwire: 'authenticated', git: 'authenticated' }, // each costs as much as a clone
    operation: 'archive',
    intent: 'read',
    maxRequestBytes: (limits) => limits.maxFetchRequestBytes,
    run: (repository, request, options, { fetch }) =>
      uploadArchive(repository, request, { ...options, hiddenRefs: fetch.hiddenRefs }),
  },
};

/** @returns `undefined` for a name that is no service of ours */
export function serviceByName(name: string): HttpService | undefined {
  return Object.hasOwn(SERVICES, name) ? SERVICES[name as ServiceName] : undefined;
}
