/**
 * The end of the check of pushed objects: blobs whose use is known now, and what the pusher is told.
 *
 * @module
 */

import { Pace } from '../../core/pace.ts';
import type { ObjectTransaction } from '../../odb/object-database.ts';
import type { FsckFindings } from '../../pack/fsck/findings.ts';
import { checkSpecialBlobs } from '../fsck/special-blobs.ts';
import type { PushSession } from './push-session.ts';

/**
 * @param findings of the pack; `undefined` when its objects were not checked
 * @throws {GitError} FSCK_FAILED; what reading throws
 */
export async function finishFsck(
  session: PushSession,
  quarantine: ObjectTransaction,
  findings: FsckFindings | undefined,
): Promise<void> {
  if (findings === undefined) return;
  const { signal } = session;
  const reader = await quarantine.openReader({ signal });
  try {
    await checkSpecialBlobs(reader, findings, new Pace(signal));
  } finally {
    reader.release();
  }
  for (const { id, message, text } of findings.warnings) {
    session.sayLine('warning', `object ${id}: ${message}: ${text}`);
  }
  if (findings.unkeptWarnings > 0) {
    session.sayLine('warning', `and ${findings.unkeptWarnings} more about the pushed objects`);
  }
  findings.throwIfError();
}
