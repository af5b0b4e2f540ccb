/**
 * The commit-graph of an objects directory: one file, or a chain of them.
 * Spec: gitformat-commit-graph(5); git-commit-graph(1), `--split`.
 *
 * @module
 */
import { decodeLatin1 } from '../../core/bytes.ts';
import { GitError, isGitError } from '../../core/errors.ts';
import { isAbsent, storageError } from '../../core/node/storage-error.ts';
import { bytesToHex, isObjectId, type ObjectFormat } from '../../core/object-id.ts';
import type { Runtime } from '../../core/runtime.ts';
import { type CommitGraph, parseCommitGraph, type StoredCommitGraph } from '../../pack/commit-graph.ts';
import { AuxiliaryFile, readAuxiliary } from './auxiliary-file.ts';

export interface CommitGraphFilesOptions {
  readonly format: ObjectFormat;
  readonly runtime: Runtime;
  readonly warn: (warning: GitError) => void;
}

export class CommitGraphFiles {
  readonly #options: CommitGraphFilesOptions;
  readonly #single: AuxiliaryFile<StoredCommitGraph>;
  readonly #chain: AuxiliaryFile<StoredCommitGraph>;
  /** Objects directories whose files may be part of the chain. */
  #directories: readonly string[];

  constructor(objectsDirectory: string, options: CommitGraphFilesOptions) {
    this.#options = options;
    this.#directories = [objectsDirectory];
    const info = `${objectsDirectory}/info`;
    const common = { what: 'commit-graph', warn: options.warn };
    this.#single = new AuxiliaryFile({
      ...common,
      path: `${info}/commit-graph`,
      parse: (bytes) => parseCommitGraph(bytes, options),
    });
    this.#chain = new AuxiliaryFile({
      ...common,
      path: `${info}/commit-graphs/commit-graph-chain`,
      parse: (bytes) => this.#readChain(decodeLatin1(bytes)),
    });
  }

  /** @param directories paths of this one and its alternates, which may hold the lower layers */
  current(directories: readonly string[]): CommitGraph | undefined {
    this.#directories = directories;
    return this.#single.current() ?? this.#chain.current();
  }

  close(): void {
    this.#single.close();
    this.#chain.close();
  }

  /** As many layers as can be used, from the lowest on: each is a graph without those above it. */
  #readChain(text: string): StoredCommitGraph {
    let graph: StoredCommitGraph | undefined;
    for (const name of text.split('\n')) {
      if (name === '') continue;
      try {
        graph = this.#readLayer(name, graph);
      } catch (error) {
        if (graph === undefined || !isGitError(error, 'PACK_CORRUPT', 'UNSUPPORTED', 'STORAGE_FAILED'))
          throw error;
        this.#options.warn(
          new GitError(error.code, `Cannot use all of commit-graph: ${error.message}`, error.detail, error),
        );
        return graph;
      }
    }
    if (graph === undefined) throw corrupt('its chain is empty');
    return graph;
  }

  #readLayer(name: string, base: StoredCommitGraph | undefined): StoredCommitGraph {
    if (!isObjectId(name, this.#options.format)) throw corrupt('its chain names what is no file');
    const graph = parseCommitGraph(this.#readFile(name), this.#options, base);
    if (bytesToHex(graph.checksum) !== name) throw corrupt('a file of its chain has another content');
    return graph;
  }

  #readFile(name: string): Uint8Array {
    for (const directory of this.#directories) {
      const path = `${directory}/info/commit-graphs/graph-${name}.graph`;
      try {
        return readAuxiliary(path);
      } catch (error) {
        if (!isAbsent(error)) throw storageError(error, 'read commit-graph', path);
      }
    }
    throw corrupt(`its chain names ${name}, which is not there`);
  }
}

function corrupt(why: string): GitError {
  return new GitError('PACK_CORRUPT', `Cannot read commit-graph: ${why}`);
}
