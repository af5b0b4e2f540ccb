/**
 * `packfile-uris`: objects that a client gets from elsewhere, as the repository's `uploadpack.blobPackfileUri` keys say.
 * Spec: gitprotocol-v2(5), "packfile-uris section"; git-config(1), `uploadpack.blobPackfileUri`; git's
 * technical/packfile-uri.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../../core/object-id.ts';
import type { GitConfig } from '../../repository/git-config.ts';
import type { PacketBuffer } from '../packet-buffer.ts';

const KEY = 'uploadpack.blobpackfileuri';
/** It is a line of a packet: no byte may end it, and all of it has to fit. */
const URI = /^[\x21-\x7e]{1,8000}$/;

/** A pack elsewhere that holds an object. */
export interface PackfileUri {
  /** The checksum the pack ends with, in hex. */
  readonly packHash: string;
  readonly uri: string;
}

export function hasPackfileUris(config: GitConfig | undefined): boolean {
  return (config?.get(KEY) ?? '') !== '';
}

/**
 * Where objects can be had by one of `protocols`, in the order of the configuration.
 *
 * @param protocols such as `https`: what comes before the colon of a URI
 * @throws {GitError} REPOSITORY_INVALID for a value that is none, or a second one for the same object
 */
export function readPackfileUris(
  config: GitConfig | undefined,
  format: ObjectFormat,
  protocols: readonly string[],
): ReadonlyMap<ObjectId, PackfileUri> {
  const known = new Set<ObjectId>();
  const offered = new Map<ObjectId, PackfileUri>();
  for (const value of config?.getAll(KEY) ?? []) {
    const [object = '', pack = '', ...rest] = value.split(' ');
    const [objectId, packHash, uri] = [object.toLowerCase(), pack.toLowerCase(), rest.join(' ')];
    if (!isObjectId(objectId, format) || !isObjectId(packHash, format) || !URI.test(uri)) {
      throw bad(`must be of the form '<object-hash> <pack-hash> <uri>' (got '${value}')`);
    }
    if (known.has(objectId)) throw bad(`names an object twice (got '${value}')`);
    known.add(objectId);
    if (protocols.some((protocol) => uri.startsWith(`${protocol}:`)))
      offered.set(objectId, { packHash, uri });
  }
  return offered;
}

/** The section, delimiter included; nothing for no objects. A pack that holds several is named once. */
export function writePackfileUris(
  packets: PacketBuffer,
  uris: ReadonlyMap<ObjectId, PackfileUri>,
  leftOut: readonly ObjectId[],
): PacketBuffer {
  const lines = new Set<string>();
  for (const id of leftOut) {
    const { packHash, uri } = uris.get(id) as PackfileUri;
    lines.add(`${packHash} ${uri}\n`);
  }
  if (lines.size === 0) return packets;
  packets.line('packfile-uris\n');
  for (const line of lines) packets.line(line);
  return packets.delimiter();
}

function bad(why: string): GitError {
  return new GitError(
    'REPOSITORY_INVALID',
    `Cannot read config: value of 'uploadpack.blobPackfileUri' ${why}`,
  );
}
