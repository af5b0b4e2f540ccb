/**
 * The refs of one repository kept in memory, compared with the files on each request, and dropped when others need
 * the memory more.
 *
 * @module
 */
import { isGitError, throwIfAborted } from '../../core/errors.ts';
import type { Evictable, MemoryBudget } from '../../core/memory-budget.ts';
import type { RefSnapshot, SnapshotRef } from '../ref-database.ts';
import { RefPrefixes } from '../ref-prefixes.ts';
import { followSymbolic } from '../ref-transaction.ts';
import { brokenRef, type FilesRefStore, type StoredRef } from './files-ref-store.ts';
import { type ListedLooseRef, LooseRefTree } from './loose-ref-tree.ts';
import { type LooseRef, readLooseRef } from './loose-refs.ts';

const HEAD = 'HEAD';
const ALL = ['refs/'];
const BYTES_PER_LOOSE_REF = 150;

type ReadRef = (name: string) => StoredRef | undefined;

/** What one snapshot was made of. */
interface Sources {
  readonly loose: readonly ListedLooseRef[];
  readonly head: LooseRef;
  readonly snapshot: RefSnapshot;
  /** Where symbolic refs lead, one step of each. */
  readonly targets: readonly string[];
  /** False when a symbolic ref leads to one outside `refs/`, which is not watched. */
  readonly isComplete: boolean;
}

export class WarmRefs implements Evictable {
  readonly #store: FilesRefStore;
  readonly #budget: MemoryBudget;
  readonly #onBrokenRef: ((name: string) => void) | undefined;
  readonly #tree: LooseRefTree;
  #sources: Sources | undefined;
  /** By what was asked for: looks at the files that have not begun. */
  readonly #coming = new Map<string, Promise<RefSnapshot>>();
  #registeredBytes = -1;
  #refreshCount = 0;

  /** @param onBrokenRef told once of each ref that a snapshot has without an id because it is broken */
  constructor(store: FilesRefStore, budget: MemoryBudget, onBrokenRef?: (name: string) => void) {
    this.#store = store;
    this.#budget = budget;
    this.#onBrokenRef = onBrokenRef;
    this.#tree = new LooseRefTree(store.gitDirectory, store.format);
  }

  get bytes(): number {
    const snapshotBytes = BYTES_PER_LOOSE_REF * (this.#sources?.loose.length ?? 0);
    return this.#tree.bytes + snapshotBytes + this.#store.packed.heldBytes;
  }

  /** A refresh that waits goes on with what it has seen already. */
  get isInUse(): boolean {
    return this.#refreshCount > 0;
  }

  evict(): void {
    this.#tree.clear();
    this.#store.packed.forget();
    this.#sources = undefined;
    this.#registeredBytes = -1;
  }

  close(): void {
    this.#budget.release(this);
    this.evict();
  }

  /** The loose refs that `prefixes` select, by name in byte order. */
  async loose(prefixes: RefPrefixes, signal: AbortSignal | undefined): Promise<readonly ListedLooseRef[]> {
    return this.#whileInUse(async () => {
      await this.#store.packed.readAhead();
      await this.#tree.refresh(prefixes, signal);
      return this.#tree.refs.filter(({ name }) => prefixes.selects(name));
    });
  }

  /**
   * All who ask the same in one turn of the event loop are answered by one look at the files, which comes after them.
   *
   * @throws {GitError} REF_INVALID; errors of the file system
   */
  async snapshot(
    prefixes: readonly string[] | undefined,
    signal: AbortSignal | undefined,
  ): Promise<RefSnapshot> {
    throwIfAborted(signal);
    const wanted = prefixes === undefined || prefixes.length === 0 ? ALL : prefixes;
    const key = wanted.join('\n');
    let coming = this.#coming.get(key);
    if (coming === undefined) {
      coming = new Promise((resolve) => {
        setImmediate(() => {
          this.#coming.delete(key);
          resolve(this.#snapshot(wanted));
        });
      });
      this.#coming.set(key, coming);
    }
    const snapshot = await coming;
    throwIfAborted(signal);
    return snapshot;
  }

  #snapshot(wanted: readonly string[]): Promise<RefSnapshot> {
    return this.#whileInUse(async () => {
      await this.#store.packed.readAhead();
      let targets = this.#sources?.targets ?? [];
      for (;;) {
        await this.#tree.refresh(new RefPrefixes([...wanted, ...targets]), undefined);
        const sources = this.#look();
        if (sources.targets.every((target) => targets.includes(target))) return sources.snapshot;
        targets = sources.targets; // where these lead was not looked at
      }
    });
  }

  async #whileInUse<Result>(act: () => Promise<Result>): Promise<Result> {
    this.#refreshCount++;
    try {
      return await act();
    } finally {
      this.#refreshCount--;
      this.#account();
    }
  }

  #account(): void {
    const { bytes } = this;
    if (bytes === this.#registeredBytes) {
      this.#budget.touch(this);
      return;
    }
    this.#registeredBytes = bytes;
    this.#budget.register(this);
  }

  /** What the tree, packed-refs and HEAD say now: what was made of them before, if that is the same. */
  #look(): Sources {
    const { gitDirectory, format, packed: packedFile } = this.#store;
    const loose = this.#tree.refs;
    const head = readLooseRef(gitDirectory, HEAD, format);
    const packed = packedFile.read(); // after the loose refs: see lookUp
    const known = this.#sources;
    if (
      known?.isComplete === true &&
      known.loose === loose &&
      known.snapshot.packed === packed &&
      isSame(known.head, head)
    ) {
      return known;
    }
    return (this.#sources = this.#gather(loose, head, packed));
  }

  #gather(loose: readonly ListedLooseRef[], head: LooseRef, packed: RefSnapshot['packed']): Sources {
    const targets = new Set<string>();
    const read: ReadRef = (name) => {
      const found = this.#find(name, head);
      if (found.kind === 'broken') throw brokenRef(name);
      if (found.kind === 'symbolic') targets.add(found.target);
      if (found.kind !== 'missing') return found;
      const ref = packed.find(name);
      return ref && { kind: 'direct', id: ref.id, peeled: ref.peeled };
    };
    const snapshot: RefSnapshot = {
      packed,
      loose: loose.map(({ name, ref }) =>
        ref.kind === 'direct' ? { name, id: ref.id } : this.#followLoose(name, read),
      ),
      head: head.kind === 'missing' ? undefined : follow(HEAD, read),
    };
    const isComplete = [...targets].every((target) => target.startsWith('refs/'));
    return { loose, head, snapshot, targets: [...targets], isComplete };
  }

  /** One broken ref does not spoil the others. */
  #followLoose(name: string, read: ReadRef): SnapshotRef {
    try {
      return follow(name, read);
    } catch (error) {
      if (!isGitError(error)) throw error;
      this.#onBrokenRef?.(name);
      return { name };
    }
  }

  #find(name: string, head: LooseRef): LooseRef {
    if (name === HEAD) return head;
    if (name.startsWith('refs/')) return this.#tree.find(name) ?? { kind: 'missing' };
    return readLooseRef(this.#store.gitDirectory, name, this.#store.format);
  }
}

/** @throws what `read` throws */
function follow(name: string, read: ReadRef): SnapshotRef {
  let last: StoredRef | undefined;
  const followed = followSymbolic(name, (next) => {
    last = read(next);
    return last;
  });
  if (followed === undefined) return { name };
  const { chain, id } = followed;
  return { name, id, peeled: last?.peeled, finalTarget: chain.length > 1 ? chain.at(-1) : undefined };
}

function isSame(a: LooseRef, b: LooseRef): boolean {
  if (a.kind === 'direct') return b.kind === 'direct' && a.id === b.id;
  if (a.kind === 'symbolic') return b.kind === 'symbolic' && a.target === b.target;
  return a.kind === b.kind;
}
