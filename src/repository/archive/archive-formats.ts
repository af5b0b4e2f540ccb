/**
 * The formats there are, and how the repository's configuration changes them.
 * Spec: git-archive(1), "BACKEND EXTRA OPTIONS", "CONFIGURATION".
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import type { GitConfig } from '../git-config.ts';

export type ArchiveFormat =
  | { readonly name: string; readonly kind: 'tar' | 'tar.gz' | 'zip' }
  /** tar through a program that the configuration names. */
  | { readonly name: string; readonly kind: 'filter'; readonly command: string };

/** What `tar.<format>.command` says for gzip without a program. */
const BUILT_IN_GZIP = 'git archive gzip';
const TAR_KEY = /^tar\.(.+)\.(command|remote)$/s;

interface TarFilter {
  command: string | undefined;
  isRemote: boolean;
}

/**
 * The formats that remote clients may ask for, in git's order.
 *
 * @param runsFilters whether programs may be run; without them what the configuration says of `command` is passed over
 */
export function archiveFormats(
  config: GitConfig | undefined,
  runsFilters: boolean,
): readonly ArchiveFormat[] {
  const filters = new Map<string, TarFilter>([
    ['tgz', { command: BUILT_IN_GZIP, isRemote: true }],
    ['tar.gz', { command: BUILT_IN_GZIP, isRemote: true }],
  ]);
  for (const { name, value } of config?.entries ?? []) {
    const [, format, key] = TAR_KEY.exec(name) ?? [];
    if (format === undefined) continue;
    const filter = filters.get(format) ?? { command: undefined, isRemote: false };
    if (key === 'remote') filter.isRemote = config?.getBoolean(name) ?? false;
    else if (runsFilters) filter.command = value;
    filters.set(format, filter);
  }
  const formats: ArchiveFormat[] = [{ name: 'tar', kind: 'tar' }];
  for (const [name, { command, isRemote }] of filters) {
    if (!isRemote || command === undefined) continue;
    formats.push(command === BUILT_IN_GZIP ? { name, kind: 'tar.gz' } : { name, kind: 'filter', command });
  }
  formats.push({ name: 'zip', kind: 'zip' });
  return formats;
}

/** @throws {GitError} PROTOCOL_VIOLATION, in git's words, for a format that there is not or a level that it does not have */
export function chooseFormat(
  formats: readonly ArchiveFormat[],
  wanted: string | undefined,
  level: number | undefined,
): ArchiveFormat {
  const format = formats.find(({ name }) => name === (wanted ?? 'tar'));
  if (format === undefined) {
    throw new GitError('PROTOCOL_VIOLATION', `Unknown archive format '${wanted?.slice(0, 100)}'`);
  }
  const most = format.kind === 'tar' ? -1 : 9;
  if (level !== undefined && level > most) {
    const message = `Argument not supported for format '${format.name}': -${level}`;
    throw new GitError('PROTOCOL_VIOLATION', message);
  }
  return format;
}
