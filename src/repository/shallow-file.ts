/**
 * The `shallow` file: one id a line, the commits whose parents are absent on purpose.
 * Spec: gitrepository-layout(5), "shallow".
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { isObjectId, type ObjectFormat, type ObjectId } from '../core/object-id.ts';

/** @throws {GitError} REPOSITORY_INVALID with `detail.line` for a line that is no id */
export function parseShallowFile(text: string, format: ObjectFormat): Set<ObjectId> {
  const ids = new Set<ObjectId>();
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    if (!isObjectId(line, format)) {
      const message = `Cannot read the shallow file: line ${index + 1} is no ${format.name} id`;
      throw new GitError('REPOSITORY_INVALID', message, { line: index + 1 });
    }
    ids.add(line);
  }
  return ids;
}
