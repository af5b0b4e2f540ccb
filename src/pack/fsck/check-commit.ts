/**
 * Is a commit what git would have written?
 * Spec: git-fsck(1), "FSCK MESSAGES".
 *
 * @module
 */
import { checkHeaderEnd, checkPerson, type Report } from './check-headers.ts';
import type { HeaderCursor } from './header-cursor.ts';

const NUL = 0;

/** @param cursor over the commit; left somewhere in it */
export function checkCommit(cursor: HeaderCursor, idDigits: number, report: Report): void {
  const start = cursor.at;
  if (!checkHeaderEnd(cursor, report)) return;

  if (!cursor.skip('tree ')) {
    report('missingTree', "invalid format - expected 'tree' line");
    return;
  }
  if (!cursor.skipIdLine(idDigits)) {
    if (report('badTreeSha1', "invalid 'tree' line format - bad sha1")) return;
    cursor.nextLine();
  }
  while (cursor.skip('parent ')) {
    if (cursor.skipIdLine(idDigits)) continue;
    if (report('badParentSha1', "invalid 'parent' line format - bad sha1")) return;
    cursor.nextLine();
  }

  let authors = 0;
  for (; cursor.skip('author '); authors++) if (checkPerson(cursor, report)) return;
  if (authors < 1 && report('missingAuthor', "invalid format - expected 'author' line")) return;
  if (authors > 1 && report('multipleAuthors', "invalid format - multiple 'author' lines")) return;
  if (!cursor.skip('committer ')) {
    report('missingCommitter', "invalid format - expected 'committer' line");
    return;
  }
  if (checkPerson(cursor, report)) return;

  const nul = cursor.bytes.indexOf(NUL, start);
  if (nul >= 0 && nul < cursor.end) report('nulInCommit', 'NUL byte in the commit object body');
}
