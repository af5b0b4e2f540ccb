/**
 * Resolving while the pack still arrives: the families that are settled, in a thread beside the scan.
 *
 * (`bench:pack` of isomorphic-git and of git/git pay for this: a processor was idle while the pack was scanned.)
 *
 * @module
 */
import { createResolveControl, endFamilies, offerFamilies, STOP } from './delta-resolver.ts';
import type { PackCheck } from './fsck/pack-check.ts';
import type { PackScanner } from './pack-scanner.ts';
import type { ResolveOptions } from './resolve-options.ts';
import type { PackEdges } from './self-containment.ts';

/** Bytes to be made that are worth a thread, which takes 15 to 40 ms to start. */
const WORTH_BYTES = 32 * 1024 * 1024;

/** How far a scan had come. */
export interface ScanProgress {
  /** {@link SettledFamilies.reached}. */
  readonly reached: number;
  /** {@link PackScanner.resolvedBytes}. */
  readonly resolvedBytes: number;
}

export class EarlyResolution {
  /** For the resolvers that come after, too. */
  readonly control = createResolveControl();
  readonly #scanner: PackScanner;
  readonly #edges: PackEdges | undefined;
  readonly #check: PackCheck | undefined;
  readonly #options: ResolveOptions;
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** {@link PackScanner.resolvedBytes} when a thread was last begun. */
  #begunAt = 0;

  constructor(
    scanner: PackScanner,
    edges: PackEdges | undefined,
    check: PackCheck | undefined,
    options: ResolveOptions,
  ) {
    this.#scanner = scanner;
    this.#edges = edges;
    this.#check = check;
    this.#options = options;
  }

  /**
   * What the scan had reached then has been written down since.
   *
   * @throws {GitError} what a resolver threw meanwhile
   */
  offer({ reached, resolvedBytes }: ScanProgress): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { families, table, declaredCount } = this.#scanner;
    if (reached <= families.end) return;
    const isWorth = this.#running === undefined && resolvedBytes - this.#begunAt >= WORTH_BYTES;
    if (families.end === 0 && !(isWorth && this.#hasThreads() && table.staysInPlace(declaredCount))) return;
    families.settle(reached);
    offerFamilies(this.control, families.start, reached);
    if (isWorth) this.#begin(resolvedBytes);
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
    Atomics.store(this.control, STOP, 1);
    this.end();
    await this.#running;
  }

  #hasThreads(): boolean {
    const { tasks, runtime, sink } = this.#options;
    return sink.path !== undefined && tasks !== undefined && tasks.runtimeName === runtime.name;
  }

  #begin(resolvedBytes: number): void {
    this.#begunAt = resolvedBytes;
    this.#running = this.#resolve().then(
      () => {
        this.#running = undefined;
      },
      (error: unknown) => {
        this.#running = undefined;
        this.#failure ??= { error };
        Atomics.store(this.control, STOP, 1); // the others need not go on
      },
    );
  }

  async #resolve(): Promise<void> {
    const { table, families } = this.#scanner;
    const { limits, tasks, sink, collisionDetection = true } = this.#options;
    const seen = await tasks?.run('resolve-deltas', {
      job: {
        phase: 'early',
        formatName: table.format.name,
        columns: table.columns,
        objectCount: 0,
        refBases: undefined,
        control: this.control,
        familiesStart: families.start,
        limits: { maxDeltaObjectBytes: limits.maxDeltaObjectBytes, maxDeltaDepth: limits.maxDeltaDepth },
        collisionDetection,
        heavyRoots: new Int32Array(0),
        isMuchLarge: true, // nobody knows yet; what is worth a thread so early most often is
      },
      path: sink.path as string,
      edgesName: this.#edges?.nextName(),
      fsck: this.#check?.rules,
    });
    if (seen?.edges !== undefined) this.#edges?.add(seen.edges);
    if (seen?.findings !== undefined) this.#check?.add(seen.findings);
  }
}
