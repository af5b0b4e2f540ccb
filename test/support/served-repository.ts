/**
 * Fetches from a repository that git made, in this process and by git's own upload-pack, so that one can be held
 * against the other.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes } from '../../src/core/bytes.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { ProtocolVersion, ServiceMode } from '../../src/protocol/service.ts';
import { type UploadPackOptions, uploadPack } from '../../src/protocol/upload-pack.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { GIT_ENVIRONMENT, git } from './git.ts';
import { packetLine, readPackets } from './packets.ts';
import { chunked, drain } from './streams.ts';

export interface Question {
  readonly version: ProtocolVersion;
  /** Default `stateless`. */
  readonly mode?: ServiceMode;
  readonly request?: Uint8Array;
  /** Sizes of the chunks the request arrives in. */
  readonly cuts?: readonly number[];
  readonly options?: Partial<UploadPackOptions>;
}

/** Every byte packwire answers. */
export async function ask(repository: Repository, question: Question): Promise<Uint8Array> {
  const { version, mode = 'stateless', request = new Uint8Array(0), cuts, options } = question;
  return drain(
    uploadPack(repository, chunked(request, cuts), {
      mode,
      protocolVersion: version,
      limits: DEFAULT_LIMITS,
      ...options,
    }),
  );
}

/** What a server must be told to offer all that packwire offers. */
const GIT_SETTINGS = [
  'uploadpack.allowFilter=true',
  'uploadpack.allowTipSHA1InWant=true',
  'uploadpack.allowReachableSHA1InWant=true',
  'transfer.advertiseObjectInfo=false',
];

/** Every byte `git upload-pack` answers; what it says of errors is left out. */
export function askGit(directory: string, { version, mode = 'stateless', request }: Question): Uint8Array {
  const flags = { advertise: ['--http-backend-info-refs'], stateless: ['--stateless-rpc'], stateful: [] }[
    mode
  ];
  const result = spawnSync(
    'git',
    [...GIT_SETTINGS.flatMap((setting) => ['-c', setting]), 'upload-pack', ...flags, directory],
    {
      input: request ?? new Uint8Array(0),
      env: { ...GIT_ENVIRONMENT, GIT_PROTOCOL: `version=${version}`, GIT_USER_AGENT: 'packwire/0.1.0' },
      maxBuffer: 1 << 28,
    },
  );
  return new Uint8Array(result.stdout);
}

export interface Answer {
  /** Packets as lines, but for pack data. */
  readonly lines: readonly string[];
  /** Everything of band 1, or what came without bands after the last packet line. */
  readonly pack: Uint8Array;
  /** All text of band 2. */
  readonly progress: string;
}

/** Take apart an answer whose pack, if any, is in bands. */
export function readAnswer(wire: Uint8Array): Answer {
  const lines: string[] = [];
  const pack: Uint8Array[] = [];
  const progress: Uint8Array[] = [];
  for (const packet of readPackets(wire)) {
    const band = packet.kind === 'data' ? packet.payload[0] : undefined;
    if (packet.kind === 'data' && band === 1) pack.push(packet.payload.subarray(1));
    else if (packet.kind === 'data' && band === 2) progress.push(packet.payload.subarray(1));
    else lines.push(packetLine(packet));
  }
  return { lines, pack: concatBytes(...pack), progress: new TextDecoder().decode(concatBytes(...progress)) };
}

/**
 * Ids of the objects of a pack that is no thin one, sorted. The pack must be sound in git's eyes.
 *
 * @param scratch a bare repository of the pack's object format, to put it in
 */
export function packIds(scratch: string, pack: Uint8Array): string[] {
  const [, packId] = git({ cwd: scratch, input: pack }, 'index-pack', '--stdin').trim().split('\t');
  const idx = readFileSync(join(scratch, 'objects', 'pack', `pack-${packId}.idx`));
  return git({ cwd: scratch, input: idx }, 'show-index')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(' ')[1] as string)
    .sort();
}
