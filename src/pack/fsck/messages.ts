/**
 * What can be wrong with an object, under git's names, and how bad git holds it to be.
 * Spec: git-fsck(1), "FSCK MESSAGES".
 *
 * @module
 */

/**
 * `fatal` cannot be made milder; `info` is told as a warning. Checks of what a peer sends are strict: they take `warn`
 * for `error` unless the configuration says otherwise.
 */
type Default = 'fatal' | 'error' | 'warn' | 'info' | 'ignore';

/** Every message, in git's spelling. Those about refs are here so that a configuration may name them. */
const DEFAULTS = {
  nulInHeader: 'fatal',
  unterminatedHeader: 'fatal',
  badHeaderContinuation: 'error',
  badDate: 'error',
  badDateOverflow: 'error',
  badEmail: 'error',
  badGpgsig: 'error',
  badHeadTarget: 'error',
  badName: 'error',
  badObjectSha1: 'error',
  badPackedRefEntry: 'error',
  badPackedRefHeader: 'error',
  badParentSha1: 'error',
  badReferentName: 'error',
  badRefContent: 'error',
  badRefFiletype: 'error',
  badRefName: 'error',
  badRefOid: 'error',
  badTimezone: 'error',
  badTree: 'error',
  badTreeSha1: 'error',
  badType: 'error',
  duplicateEntries: 'error',
  gitattributesBlob: 'error',
  gitattributesLarge: 'error',
  gitattributesLineLength: 'error',
  gitattributesMissing: 'error',
  gitmodulesBlob: 'error',
  gitmodulesLarge: 'error',
  gitmodulesMissing: 'error',
  gitmodulesName: 'error',
  gitmodulesPath: 'error',
  gitmodulesSymlink: 'error',
  gitmodulesUpdate: 'error',
  gitmodulesUrl: 'error',
  missingAuthor: 'error',
  missingCommitter: 'error',
  missingEmail: 'error',
  missingNameBeforeEmail: 'error',
  missingObject: 'error',
  missingSpaceBeforeDate: 'error',
  missingSpaceBeforeEmail: 'error',
  missingTag: 'error',
  missingTagEntry: 'error',
  missingTree: 'error',
  missingType: 'error',
  missingTypeEntry: 'error',
  multipleAuthors: 'error',
  packedRefEntryNotTerminated: 'error',
  packedRefUnsorted: 'error',
  treeNotSorted: 'error',
  unknownType: 'error',
  zeroPaddedDate: 'error',
  badReftableTableName: 'warn',
  emptyName: 'warn',
  fullPathname: 'warn',
  hasDot: 'warn',
  hasDotdot: 'warn',
  hasDotgit: 'warn',
  largePathname: 'warn',
  nullSha1: 'warn',
  nulInCommit: 'warn',
  zeroPaddedFilemode: 'warn',
  badFilemode: 'info',
  badTagName: 'info',
  emptyPackedRefsFile: 'info',
  gitattributesSymlink: 'info',
  gitignoreSymlink: 'info',
  gitmodulesParse: 'info',
  mailmapSymlink: 'info',
  missingTaggerEntry: 'info',
  refMissingNewline: 'info',
  symlinkRef: 'info',
  symrefTargetIsNotARef: 'info',
  trailingRefContent: 'info',
  extraHeaderEntry: 'ignore',
} as const satisfies Record<string, Default>;

export type FsckMessageId = keyof typeof DEFAULTS;

/** What becomes of a finding: nothing, a line to the user, or the end of the push. */
export type FsckSeverity = 'ignore' | 'warn' | 'error';

const IDS = Object.keys(DEFAULTS) as FsckMessageId[];
const BY_LOWER_CASE = new Map(IDS.map((id) => [id.toLowerCase(), id]));

/** The message that a configuration names, in whatever case. */
export function fsckMessageId(name: string): FsckMessageId | undefined {
  return BY_LOWER_CASE.get(name.toLowerCase());
}

/** Whether its severity is beyond configuration. */
export function isFatal(id: FsckMessageId): boolean {
  return DEFAULTS[id] === 'fatal';
}

/** Severities of a strict check: what `git receive-pack` asks for with `fsckObjects`. */
export function strictSeverities(): Record<FsckMessageId, FsckSeverity> {
  return Object.fromEntries(IDS.map((id) => [id, strict(DEFAULTS[id])])) as Record<
    FsckMessageId,
    FsckSeverity
  >;
}

function strict(severity: Default): FsckSeverity {
  if (severity === 'ignore') return 'ignore';
  return severity === 'info' ? 'warn' : 'error';
}
