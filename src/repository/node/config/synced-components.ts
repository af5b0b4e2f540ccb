/**
 * What of a repository is synced to the disk, as `core.fsync` and its predecessor say. Without them everything is
 * (decision 4); git leaves loose objects out.
 *
 * `core.fsyncMethod` changes nothing: Node can sync a file wholly or not at all, so `writeout-only` and `batch` are kept
 * by doing more than they ask for.
 * Spec: git-config(1), `core.fsync`, `core.fsyncObjectFiles`.
 *
 * @module
 */
import type { GitConfig } from '../../git-config.ts';

export interface SyncedComponents {
  readonly looseObjects: boolean;
  readonly packs: boolean;
  /** `.idx` and `.rev`. */
  readonly packIndexes: boolean;
  readonly references: boolean;
}

type Component = keyof SyncedComponents;

const ALL: readonly Component[] = ['looseObjects', 'packs', 'packIndexes', 'references'];
const COMMITTED: readonly Component[] = ['looseObjects', 'packs', 'references'];

/** Of commit-graphs and indexes of work trees nothing is written here. */
const COMPONENTS: Readonly<Record<string, readonly Component[]>> = {
  'loose-object': ['looseObjects'],
  pack: ['packs'],
  'pack-metadata': ['packIndexes'],
  'derived-metadata': ['packIndexes'],
  objects: ['looseObjects', 'packs'],
  reference: ['references'],
  committed: COMMITTED,
  added: COMMITTED,
  all: ALL,
};

/** What is named with a `-` is taken out of what is synced by default, then what is named is added. */
export function syncedComponents(config: GitConfig): SyncedComponents {
  const words = (config.get('core.fsync') ?? '').split(/[,\s]+/);
  const synced = new Set(words.includes('none') ? [] : ALL);
  for (const word of words)
    if (word.startsWith('-')) for (const one of named(word.slice(1))) synced.delete(one);
  for (const word of words) for (const one of named(word)) synced.add(one);
  if (config.getBoolean('core.fsyncobjectfiles') === true) synced.add('looseObjects');
  return {
    looseObjects: synced.has('looseObjects'),
    packs: synced.has('packs'),
    packIndexes: synced.has('packIndexes'),
    references: synced.has('references'),
  };
}

function named(word: string): readonly Component[] {
  return (Object.hasOwn(COMPONENTS, word) ? COMPONENTS[word] : undefined) ?? [];
}
