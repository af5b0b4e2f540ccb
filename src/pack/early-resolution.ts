/**
 * Resolving while the pack still arrives: the families that are settled, in a thread beside the scan.
 *
 * (`bench:pack` of isomorphic-git and of git/git pay for this: a processor was idle while the pack was scanned.)
 *
 * @module
 */
import type { PackCheck } from './fsck/pack-check.ts';
import type { PackScanner } from './pack-scanner.ts';
import { createResolveControl, endFamilies, offerFamilies, stopResolving } from './resolve-control.ts';
import { jobTerms } from './resolve-job.ts';
import type { ResolveOptions } from './resolve-options.ts';
import { type ResolverThreads, resolverThreads, THREADS_FROM_BYTES } from './resolver-threads.ts';
import type { PackEdges } from './self-containment.ts';

/** How far a scan had come. */
export interface ScanProgress {
  /** {@link SettledFamilies.reached}. */
  readonly reached: number;
  /** {@link PackSums.resolvedBytes}. */
  readonly resolvedBytes: number;
}

export class EarlyResolution {
  /** For the resolvers that come after, too. */
  readonly control = createResolveControl();
  /** Those, too. */
  readonly threads: ResolverThreads | undefined;
  readonly #scanner: PackScanner;
  readonly #options: ResolveOptions;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** {@link PackSums.resolvedBytes} when a thread was last begun. */
  #begunAt = 0;

  constructor(
    scanner: PackScanner,
    edges: PackEdges | undefined,
    check: PackCheck | undefined,
    options: ResolveOptions,
  ) {
    this.#scanner = scanner;
    this.#options = options;
    this.threads = resolverThreads(options, edges, check);
  }

  /**
   * What the scan had reached then has been written down since.
   *
   * @throws {GitError} what a resolver threw meanwhile
   */
  offer({ reached, resolvedBytes }: ScanProgress): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { threads } = this;
    if (threads === undefined) return;
    const { families, table, declaredCount } = this.#scanner;
    if (reached <= families.end) return;
    const isWorth = this.#running === undefined && resolvedBytes - this.#begunAt >= THREADS_FROM_BYTES;
    if (families.end === 0 && !(isWorth && table.staysInPlace(declaredCount))) return;
    families.settle(reached);
    offerFamilies(this.control, families.start, reached);
    if (isWorth) this.#begin(threads, resolvedBytes);
  }

  /** The pack is scanned: who resolves on may share {@link control}. */
  end(): void {
    endFamilies(this.control);
  }

  /**
   * Wait for what is under way. It ends soon after {@link end}, when all families are taken.
   *
   * @throws {GitError} what a resolver threw
   */
  async finish(): Promise<void> {
    await this.#running;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Another failure is on its way: only stop. */
  async abandon(): Promise<void> {
    stopResolving(this.control);
    this.end();
    await this.#running;
  }

  #begin(threads: ResolverThreads, resolvedBytes: number): void {
    const { table, families } = this.#scanner;
    this.#begunAt = resolvedBytes;
    const resolving = threads.resolve({
      ...jobTerms(table, this.control, this.#options),
      phase: 'early',
      objectCount: 0,
      refBases: undefined,
      familiesStart: families.start,
      heavyRoots: new Int32Array(0),
      isMuchLarge: true, // nobody knows yet; what is worth a thread so early most often is
    });
    this.#running = resolving.then(
      () => {
        this.#running = undefined;
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#failure ??= { error };
      },
    );
  }
}
