/**
 * A repository: objects, refs, and the few settings the engine asks for.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { ObjectFormat, ObjectId } from '../core/object-id.ts';
import type { Runtime } from '../core/runtime.ts';
import type { ObjectDatabase } from '../odb/object-database.ts';
import type { RefDatabase } from '../refs/ref-database.ts';
import type { GitConfig } from './git-config.ts';
import type { NamespaceView } from './namespace-view.ts';
import type { PackProgram } from './pack-program.ts';
import type { CreateSpool } from './pack-sharing/spool.ts';
import type { AfterPush } from './push/after-push.ts';
import type { RepositoryHooks } from './push/repository-hooks.ts';
import type { ShallowRoots } from './push/shallow-roots.ts';
import type { SignatureVerifier } from './push/signature-verifier.ts';
import type { WorkTrees } from './push/work-trees.ts';

export interface Repository extends AsyncDisposable {
  readonly format: ObjectFormat;
  readonly objects: ObjectDatabase;
  readonly refs: RefDatabase;
  readonly runtime: Runtime;
  /** Commits whose parents are absent here on purpose (the `shallow` file); empty for most. */
  shallowCommits(): Promise<ReadonlySet<ObjectId>>;
  /** How {@link shallowCommits} grow by pushes from shallow clones; absent where they cannot. */
  readonly shallowRoots?: ShallowRoots | undefined;
  /** For messages and logs: a path or a name; never sent to clients. */
  readonly label: string;
  /** The repository's own configuration, when it has one: what it says about pushes is obeyed. */
  readonly config?: GitConfig | undefined;
  /**
   * The text of a file that the configuration names, relative to the repository; `undefined` when it cannot be opened.
   * Absent where there are no files.
   */
  readTextFile?(path: string): Promise<string | undefined>;
  /** Directory of the bare repository when it is one of files. */
  readonly path?: string | undefined;
  /**
   * Where a pack is put aside while several clients take it at their own pace. Without it such clients share what was
   * chosen and planned, and each has its pack written anew.
   */
  readonly createSpool?: CreateSpool | undefined;
  /** Makes the packs of fetches in place of this library. */
  readonly packProgram?: PackProgram | undefined;
  /**
   * Brings objects that are missing here from the remotes that hold them. Absent: nothing is ever fetched while serving.
   *
   * @throws {GitError} ABORTED
   */
  fetchPromised?(ids: readonly ObjectId[], options: Cancellable): Promise<void>;
  /** git's own hooks of this repository; absent where there are none, or none are to be run. */
  readonly hooks?: RepositoryHooks | undefined;
  /** Where its branches are checked out; absent when that cannot be. */
  readonly workTrees?: WorkTrees | undefined;
  /** Checks signatures with the programs git would run; absent where none are to be run. */
  readonly verifySignature?: SignatureVerifier | undefined;
  /** What is to be done when a push is through. */
  readonly afterPush?: AfterPush | undefined;
  /** Present when only the refs of one namespace are shown here; see `inNamespace`. */
  readonly namespace?: NamespaceView | undefined;
  /** Ids that the refs of other repositories hold whose objects are read here too; each once. */
  alternateTips?(options?: Cancellable): Promise<readonly ObjectId[]>;
}
