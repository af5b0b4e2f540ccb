/**
 * One namespace of a ref database, as a ref database: `refs/heads/main` there is `refs/namespaces/<name>/refs/heads/main`
 * in the whole, and so is `HEAD`.
 * Spec: gitnamespaces(7).
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import { GitError } from '../core/errors.ts';
import type { ObjectFormat } from '../core/object-id.ts';
import type {
  RefBatchOptions,
  RefDatabase,
  ReflogEntry,
  RefTarget,
  RefUpdate,
  RefUpdateOutcome,
} from './ref-database.ts';
import { isValidRefName } from './ref-name.ts';
import type { ResolvedRef } from './resolved-ref.ts';

/**
 * Where the refs of a namespace are: `refs/namespaces/a/refs/namespaces/b/` for `a/b`, the namespace `b` in `a`.
 *
 * @throws {GitError} INVALID_ARGUMENT for a name of which no refs can be made
 */
export function namespacePrefix(namespace: string): string {
  const parts = namespace.split('/').filter((part) => part !== '');
  const path = parts.map((part) => `refs/namespaces/${part}`).join('/');
  if (isValidRefName(path)) return `${path}/`;
  throw new GitError('INVALID_ARGUMENT', `Cannot use namespace: bad git namespace path "${namespace}"`);
}

/**
 * Nothing outside is seen or changed, except by updates of symbolic refs that lead there, as in git. A symbolic ref that
 * does is shown as if it held what it leads to: names outside are not told. Watchers are told full names.
 */
export class NamespacedRefs implements RefDatabase {
  readonly format: ObjectFormat;
  readonly #whole: RefDatabase;
  readonly #prefix: string;

  /** @param prefix as {@link namespacePrefix} makes it */
  constructor(whole: RefDatabase, prefix: string) {
    this.format = whole.format;
    this.#whole = whole;
    this.#prefix = prefix;
  }

  async read(name: string, options?: Cancellable): Promise<RefTarget | undefined> {
    const stored = await this.#whole.read(this.#prefix + name, options);
    if (stored?.kind !== 'symbolic') return stored;
    const target = this.#strip(stored.target);
    if (target !== undefined) return { kind: 'symbolic', target };
    const ref = await this.#whole.resolve(this.#prefix + name, options);
    return ref && { kind: 'direct', id: ref.id };
  }

  async resolve(name: string, options?: Cancellable): Promise<ResolvedRef | undefined> {
    const ref = await this.#whole.resolve(this.#prefix + name, options);
    return ref && this.#inside(ref);
  }

  async list(prefixes?: readonly string[], options?: Cancellable): Promise<readonly ResolvedRef[]> {
    const asked = prefixes === undefined || prefixes.length === 0 ? ['refs/'] : prefixes;
    const listed = await this.#whole.list(
      asked.map((prefix) => this.#prefix + prefix),
      options,
    );
    return listed.map((ref) => this.#inside(ref)).filter(({ name }) => name.startsWith('refs/'));
  }

  async update(
    updates: readonly RefUpdate[],
    options: RefBatchOptions,
  ): Promise<readonly RefUpdateOutcome[]> {
    const whole = updates.map((update) => ({ ...update, name: this.#prefix + update.name }));
    const outcomes = await this.#whole.update(whole, options);
    return outcomes.map((outcome, index) => ({ ...outcome, name: (updates[index] as RefUpdate).name }));
  }

  setSymbolic(name: string, target: string, options?: Cancellable): Promise<void> {
    return this.#whole.setSymbolic(this.#prefix + name, this.#prefix + target, options);
  }

  reflog(name: string, options?: Cancellable): Promise<readonly ReflogEntry[]> {
    return this.#whole.reflog(this.#prefix + name, options);
  }

  /** The whole stays open: it belongs to who opened it. */
  async close(): Promise<void> {}

  #inside(ref: ResolvedRef): ResolvedRef {
    return {
      ...ref,
      name: this.#strip(ref.name) ?? ref.name,
      symbolicTarget: ref.symbolicTarget && this.#strip(ref.symbolicTarget),
    };
  }

  #strip(name: string): string | undefined {
    return name.startsWith(this.#prefix) ? name.slice(this.#prefix.length) : undefined;
  }
}
