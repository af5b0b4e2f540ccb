/**
 * The three services over a connection that stays open: git://, SSH.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { type ReceivePackOptions, receivePack } from '../protocol/receive-pack.ts';
import type { ServiceOptions } from '../protocol/service.ts';
import { type UploadArchiveOptions, uploadArchive } from '../protocol/upload-archive.ts';
import { type UploadPackOptions, uploadPack } from '../protocol/upload-pack.ts';
import type { Repository } from '../repository/repository.ts';

export type StatefulService = 'upload-pack' | 'receive-pack' | 'upload-archive';

/** What each service takes beyond what the transport knows. */
export interface StatefulSettings {
  readonly fetch?: Omit<UploadPackOptions, keyof ServiceOptions> | undefined;
  readonly push?: Omit<ReceivePackOptions, keyof ServiceOptions> | undefined;
  /** What archives take for one repository: programs are run in it. */
  readonly archive?:
    | ((repository: Repository) => Pick<UploadArchiveOptions, 'allowUnreachable' | 'runFilter' | 'userUmask'>)
    | undefined;
}

export function runStatefulService(
  service: StatefulService,
  repository: Repository,
  input: ByteStream,
  settings: StatefulSettings,
  options: Omit<ServiceOptions, 'mode'>,
): AsyncGenerator<Uint8Array, undefined> {
  const stateful: ServiceOptions = { ...options, mode: 'stateful' };
  switch (service) {
    case 'upload-pack':
      return uploadPack(repository, input, { ...settings.fetch, ...stateful });
    case 'receive-pack':
      return receivePack(repository, input, { ...settings.push, ...stateful });
    case 'upload-archive':
      return uploadArchive(repository, input, {
        hiddenRefs: settings.fetch?.hiddenRefs,
        ...settings.archive?.(repository),
        ...stateful,
      });
  }
}
