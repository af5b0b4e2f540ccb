/**
 * Is a tag what git would have written?
 * Spec: git-fsck(1), "FSCK MESSAGES"; git-mktag(1).
 *
 * @module
 */
import { decodeText } from '../../core/bytes.ts';
import { isObjectKind } from '../../core/object-kind.ts';
import { isValidRefName } from '../../core/ref-name-format.ts';
import { checkHeaderEnd, checkPerson, type Report } from './check-headers.ts';
import type { HeaderCursor } from './header-cursor.ts';

const NEWLINE = 10;

/** @param cursor over the tag; left somewhere in it */
export function checkTag(cursor: HeaderCursor, idDigits: number, report: Report): void {
  if (!checkHeaderEnd(cursor, report)) return;

  if (!cursor.skip('object ')) {
    report('missingObject', "invalid format - expected 'object' line");
    return;
  }
  if (!cursor.skipIdLine(idDigits)) {
    if (report('badObjectSha1', "invalid 'object' line format - bad sha1")) return;
    cursor.nextLine();
  }
  if (!cursor.skip('type ')) {
    report('missingTypeEntry', "invalid format - expected 'type' line");
    return;
  }
  const type = restOfLine(cursor);
  if (type === undefined) {
    report('missingType', "invalid format - unexpected end after 'type' line");
    return;
  }
  if (!isObjectKind(type) && report('badType', "invalid 'type' value")) return;

  if (!cursor.skip('tag ')) {
    report('missingTagEntry', "invalid format - expected 'tag' line");
    return;
  }
  const name = restOfLine(cursor);
  if (name === undefined) {
    report('missingTag', "invalid format - unexpected end after 'type' line");
    return;
  }
  if (!isValidRefName(`refs/tags/${name}`) && report('badTagName', `invalid 'tag' name: ${name}`)) return;

  if (cursor.skip('tagger ')) checkPerson(cursor, report);
  else if (report('missingTaggerEntry', "invalid format - expected 'tagger' line")) return;
  checkSignatureAndRest(cursor, report);
}

function checkSignatureAndRest(cursor: HeaderCursor, report: Report): void {
  if (cursor.skip('gpgsig ') || cursor.skip('gpgsig-sha256 ')) {
    if (!cursor.nextLine()) {
      report('badGpgsig', "invalid format - unexpected end after 'gpgsig' or 'gpgsig-sha256' line");
      return;
    }
    while (cursor.skip(' ')) {
      if (cursor.nextLine()) continue;
      report(
        'badHeaderContinuation',
        "invalid format - unexpected end in 'gpgsig' or 'gpgsig-sha256' continuation line",
      );
      return;
    }
  }
  const next = cursor.peek();
  if (next >= 0 && next !== NEWLINE) {
    report('extraHeaderEntry', "invalid format - extra header(s) after 'tagger'");
  }
}

/** The text up to the newline, which is stepped over; `undefined` when there is none. */
function restOfLine(cursor: HeaderCursor): string | undefined {
  const { bytes, at } = cursor;
  return cursor.nextLine() ? decodeText(bytes.subarray(at, cursor.at - 1)) : undefined;
}
