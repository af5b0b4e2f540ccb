/**
 * The check of blobs that trees call `.gitmodules` or `.gitattributes`: at the end of a push, when all trees are known.
 * Spec: git-fsck(1), "FSCK MESSAGES".
 *
 * @module
 */
import { decodeText } from '../../core/bytes.ts';
import { isGitError } from '../../core/errors.ts';
import type { ObjectId } from '../../core/object-id.ts';
import type { Pace } from '../../core/pace.ts';
import type { ObjectReader } from '../../odb/object-database.ts';
import type { FsckFindings } from '../../pack/fsck/findings.ts';
import { parseGitConfig } from '../git-config.ts';
import { isSubmoduleName, isSubmoduleUrl, isUpdateCommand, looksLikeOption } from './submodule-rules.ts';

/** A larger `.gitmodules` is not parsed but refused: some hundred thousand submodules. */
const MOST_GITMODULES_BYTES = 16 * 1024 * 1024;
/** git's ATTR_MAX_FILE_SIZE and ATTR_MAX_LINE_LENGTH. */
const MOST_GITATTRIBUTES_BYTES = 100 * 1024 * 1024;
const MOST_GITATTRIBUTES_LINE_BYTES = 2048;
const NEWLINE = 10;

type Role = 'gitmodules' | 'gitattributes';

/**
 * Check what `findings.blobs` names; what is found is reported to `findings`.
 *
 * @param reader sees what was pushed and what was there
 * @throws {GitError} OBJECT_CORRUPT, PACK_CORRUPT, STORAGE_FAILED; ABORTED
 */
export async function checkSpecialBlobs(
  reader: ObjectReader,
  findings: FsckFindings,
  pace: Pace,
): Promise<void> {
  for (const id of findings.blobs.gitmodules) {
    if (isBlob(reader, id, 'gitmodules', findings)) checkGitmodules(reader, id, findings);
    if (pace.isDue()) await pace.rest();
  }
  for (const id of findings.blobs.gitattributes) {
    if (isBlob(reader, id, 'gitattributes', findings)) await checkGitattributes(reader, id, findings);
    if (pace.isDue()) await pace.rest();
  }
}

function isBlob(reader: ObjectReader, id: ObjectId, role: Role, findings: FsckFindings): boolean {
  const header = reader.readHeader(id);
  if (header === undefined) findings.report(id, `${role}Missing`, `unable to read .${role} blob`);
  else if (header.kind !== 'blob') findings.report(id, `${role}Blob`, `non-blob found at .${role}`);
  return header?.kind === 'blob';
}

function checkGitmodules(reader: ObjectReader, id: ObjectId, findings: FsckFindings): void {
  const size = reader.readHeader(id)?.sizeBytes ?? 0;
  if (size > MOST_GITMODULES_BYTES) {
    findings.report(id, 'gitmodulesLarge', '.gitmodules too large to parse');
    return;
  }
  const text = decodeText(reader.read(id)?.data ?? new Uint8Array(0));
  try {
    parseGitConfig(text, ({ name, value }) => checkSetting(id, name, value ?? '', findings));
  } catch (error) {
    if (!isGitError(error, 'REPOSITORY_INVALID')) throw error;
    findings.report(id, 'gitmodulesParse', 'could not parse gitmodules blob');
  }
}

function checkSetting(id: ObjectId, name: string, value: string, findings: FsckFindings): void {
  const [, submodule, key] = /^submodule\.(.*)\.([^.]*)$/s.exec(name) ?? [];
  if (submodule === undefined) return;
  if (!isSubmoduleName(submodule)) {
    findings.report(id, 'gitmodulesName', `disallowed submodule name: ${submodule}`);
  }
  if (key === 'url' && !isSubmoduleUrl(value)) {
    findings.report(id, 'gitmodulesUrl', `disallowed submodule url: ${value}`);
  }
  if (key === 'path' && looksLikeOption(value)) {
    findings.report(id, 'gitmodulesPath', `disallowed submodule path: ${value}`);
  }
  if (key === 'update' && isUpdateCommand(value)) {
    findings.report(id, 'gitmodulesUpdate', `disallowed submodule update setting: ${value}`);
  }
}

async function checkGitattributes(reader: ObjectReader, id: ObjectId, findings: FsckFindings): Promise<void> {
  const blob = reader.stream(id);
  if (blob === undefined) return;
  if (blob.header.sizeBytes > MOST_GITATTRIBUTES_BYTES) {
    findings.report(id, 'gitattributesLarge', '.gitattributes too large to parse');
    return;
  }
  let lineBytes = 0;
  for await (const chunk of blob.content) {
    for (let at = 0; at < chunk.length; ) {
      const newline = chunk.indexOf(NEWLINE, at);
      lineBytes += (newline < 0 ? chunk.length : newline) - at;
      if (lineBytes >= MOST_GITATTRIBUTES_LINE_BYTES) {
        findings.report(id, 'gitattributesLineLength', '.gitattributes has too long lines to parse');
        return;
      }
      if (newline < 0) break;
      lineBytes = 0;
      at = newline + 1;
    }
  }
}
