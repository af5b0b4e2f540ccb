/**
 * The attribute files that hold where a walk is: those of the directories above, and the repository's own.
 * Spec: gitattributes(5): the nearest file decides, and `info/attributes` before all.
 *
 * @module
 */
import { GitError } from '../../core/errors.ts';
import { checkMatchingSteps } from '../sparse-patterns.ts';
import { AttributesFile, type AttributeValue, builtInMacros } from './attributes.ts';

/** Of one file, and of all on the way to one directory together: matching them takes time for each path. git: 100 MB a file. */
const MAX_FILE_BYTES = 1024 * 1024;
const MAX_LINES = 4096;

interface Level {
  /** Of the directory: empty, or with a slash at its end. */
  readonly path: string;
  readonly file: AttributesFile | undefined;
  /** Of this file and of those above it. */
  readonly stepCount: number;
}

export class AttributeFiles {
  readonly #levels: Level[] = [];
  readonly #macros = builtInMacros();
  readonly #info: AttributesFile | undefined;
  readonly #values = new Map<string, AttributeValue>();

  constructor(infoAttributes: Uint8Array | undefined) {
    if (infoAttributes === undefined) return;
    this.checkSize(infoAttributes.length);
    this.#info = new AttributesFile(infoAttributes, this.#macros, true);
  }

  /** @throws {GitError} LIMIT_EXCEEDED when a file is too large to be looked at */
  checkSize(sizeBytes: number): void {
    if (sizeBytes <= MAX_FILE_BYTES) return;
    throw new GitError(
      'LIMIT_EXCEEDED',
      `attribute files of more than ${MAX_FILE_BYTES} bytes are not read`,
      {
        limit: MAX_FILE_BYTES,
      },
    );
  }

  /** @param content of the directory's own file. @throws {GitError} LIMIT_EXCEEDED */
  enter(path: string, content: Uint8Array | undefined): void {
    const isRoot = this.#levels.length === 0;
    const file = content && new AttributesFile(content, this.#macros, isRoot);
    const stepCount = this.#stepCount + (file?.stepCount ?? 0);
    this.#levels.push({ path, file: file?.lineCount === 0 ? undefined : file, stepCount });
    const lines = this.#levels.reduce((sum, level) => sum + (level.file?.lineCount ?? 0), 0);
    if (lines > MAX_LINES) {
      throw new GitError('LIMIT_EXCEEDED', `more than ${MAX_LINES} attributes for one path are not read`, {
        limit: MAX_LINES,
      });
    }
  }

  leave(): void {
    this.#levels.pop();
  }

  get #stepCount(): number {
    return this.#levels.at(-1)?.stepCount ?? this.#info?.stepCount ?? 0;
  }

  /**
   * What is said of `path`, in the directory entered last; a character a byte. Holds until the next call.
   *
   * @throws {GitError} LIMIT_EXCEEDED for a path that would take too long
   */
  valuesOf(path: string, isDirectory: boolean): ReadonlyMap<string, AttributeValue> {
    checkMatchingSteps(this.#stepCount, path);
    const found = this.#values;
    found.clear();
    this.#info?.collect(path, isDirectory, found);
    for (let i = this.#levels.length - 1; i >= 0; i--) {
      const level = this.#levels[i] as Level;
      level.file?.collect(path.slice(level.path.length), isDirectory, found);
    }
    return found;
  }
}
