/**
 * Object filters of partial clones.
 * Spec: git-rev-list(1), `--filter`; gitprotocol-v2(5), fetch, "filter".
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import { isObjectKind, type ObjectKind } from '../core/object-kind.ts';
import type { SparsePatterns } from './sparse-patterns.ts';

/** A filter as the client spelled it. A server that allows only some looks at `kind`. */
export type ObjectFilter =
  | { readonly kind: 'blob:none' }
  /** Blobs of `limitBytes` or more are left out. */
  | { readonly kind: 'blob:limit'; readonly limitBytes: number }
  /** Trees and blobs `depth` or more levels below a commit are left out; its root tree is at level 0. */
  | { readonly kind: 'tree'; readonly depth: number }
  | { readonly kind: 'object:type'; readonly type: ObjectKind }
  /** Blobs at paths that a sparse specification, stored as a blob, selects. Selections take only its full id. */
  | { readonly kind: 'sparse:oid'; readonly name: string }
  /** What passes all of them. */
  | { readonly kind: 'combine'; readonly filters: readonly ObjectFilter[] };

/** Characters that a part of `combine:` must percent-encode, besides white space and controls. */
const RESERVED = '~`!@#$^&*()[]{}\\;\'",<>?';
/** `combine:` inside `combine:`; git recurses without a bound. */
const MAX_NESTING = 16;
/** Sparse filters in one: each is a blob that is read, and held against each path. */
const MAX_SPARSE = 8;

/**
 * Read a filter-spec.
 *
 * @throws {GitError} PROTOCOL_VIOLATION when it is none; its message may be shown to the client
 */
export function parseObjectFilter(spec: string): ObjectFilter {
  const filter = parseNested(spec, 0);
  if (sparseCount(filter) > MAX_SPARSE)
    throw invalid(`more than ${MAX_SPARSE} sparse filters are not served`);
  return filter;
}

function sparseCount(filter: ObjectFilter): number {
  if (filter.kind === 'sparse:oid') return 1;
  return filter.kind === 'combine' ? filter.filters.reduce((sum, part) => sum + sparseCount(part), 0) : 0;
}

function parseNested(spec: string, nesting: number): ObjectFilter {
  if (spec === 'blob:none') return { kind: 'blob:none' };
  if (spec.startsWith('blob:limit=')) {
    const limitBytes = parseSize(spec.slice('blob:limit='.length));
    if (limitBytes === undefined) throw invalid(`invalid filter-spec '${spec}'`);
    return { kind: 'blob:limit', limitBytes };
  }
  if (spec.startsWith('tree:')) {
    const depth = parseSize(spec.slice('tree:'.length));
    if (depth === undefined) throw invalid("expected 'tree:<depth>'");
    return { kind: 'tree', depth };
  }
  if (spec.startsWith('object:type=')) {
    const type = spec.slice('object:type='.length);
    if (!isObjectKind(type)) throw invalid(`'${type}' for 'object:type=<type>' is not a valid object type`);
    return { kind: 'object:type', type };
  }
  if (spec.startsWith('sparse:oid=')) return { kind: 'sparse:oid', name: spec.slice('sparse:oid='.length) };
  if (spec.startsWith('sparse:path=')) throw invalid('sparse:path filters support has been dropped');
  if (spec.startsWith('combine:')) return parseCombined(spec.slice('combine:'.length), nesting + 1);
  throw invalid(`invalid filter-spec '${spec}'`);
}

function parseCombined(specs: string, nesting: number): ObjectFilter {
  if (specs === '') throw invalid('expected something after combine:');
  if (nesting > MAX_NESTING) throw invalid('combine: filters are nested too deeply');
  const filters = specs
    .split('+')
    .filter((spec) => spec !== '')
    .map((spec) => parseNested(decodePercent(spec), nesting));
  return { kind: 'combine', filters };
}

function decodePercent(spec: string): string {
  for (const character of spec) {
    if (character <= ' ' || RESERVED.includes(character)) {
      throw invalid(`must escape char in sub-filter-spec: '${character}'`);
    }
  }
  return spec.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** git's unsigned number with an optional unit; `undefined` when it is none. */
function parseSize(text: string): number | undefined {
  const match = /^(0[xX][0-9a-fA-F]+|[0-9]+)([kKmMgG]?)$/.exec(text);
  if (match === null) return undefined;
  const [, digits = '', unit = ''] = match;
  // A leading zero makes it octal, as strtoul with base 0 reads it.
  const isOctal = /^0[0-9]+$/.test(digits);
  if (isOctal && /[89]/.test(digits)) return undefined;
  const size = (isOctal ? Number.parseInt(digits, 8) : Number(digits)) * (FACTORS[unit.toLowerCase()] ?? 1);
  return size < 2 ** 64 ? size : undefined;
}

function invalid(message: string): GitError {
  return new GitError('PROTOCOL_VIOLATION', message);
}

/** A filter made ready for a walk: every combination comes down to these three bounds. */
export interface FilterBounds {
  /** Blobs of this size or more are left out: 0 is all of them, infinity none. */
  readonly blobLimitBytes: number;
  /** Trees and blobs at this level or deeper are left out. */
  readonly treeDepth: number;
  /** The only kind let through; `none` when two were asked for. */
  readonly type: ObjectKind | 'any' | 'none';
  /** Only blobs at paths that all of these select. */
  readonly sparse?: readonly SparsePatterns[] | undefined;
}

const UNBOUNDED: FilterBounds = {
  blobLimitBytes: Number.POSITIVE_INFINITY,
  treeDepth: Number.POSITIVE_INFINITY,
  type: 'any',
};

/**
 * @param patternsOf reads the blob of a sparse filter
 * @throws {GitError} UNSUPPORTED for sparse:oid without `patternsOf`; what that throws
 */
export function filterBounds(
  filter: ObjectFilter,
  patternsOf: (name: string) => SparsePatterns = unsupportedSparse,
): FilterBounds {
  switch (filter.kind) {
    case 'blob:none':
      return { ...UNBOUNDED, blobLimitBytes: 0 };
    case 'blob:limit':
      return { ...UNBOUNDED, blobLimitBytes: filter.limitBytes };
    case 'tree':
      return { ...UNBOUNDED, treeDepth: filter.depth };
    case 'object:type':
      return { ...UNBOUNDED, type: filter.type };
    case 'sparse:oid':
      return { ...UNBOUNDED, sparse: [patternsOf(filter.name)] };
    case 'combine':
      return filter.filters.map((part) => filterBounds(part, patternsOf)).reduce(intersect, UNBOUNDED);
  }
}

function unsupportedSparse(): never {
  throw new GitError('UNSUPPORTED', "filter 'sparse:oid' not supported");
}

function intersect(a: FilterBounds, b: FilterBounds): FilterBounds {
  const sparse = [...(a.sparse ?? []), ...(b.sparse ?? [])];
  return {
    ...(sparse.length > 0 && { sparse }),
    blobLimitBytes: Math.min(a.blobLimitBytes, b.blobLimitBytes),
    treeDepth: Math.min(a.treeDepth, b.treeDepth),
    type: a.type === 'any' ? b.type : b.type === 'any' || a.type === b.type ? a.type : 'none',
  };
}
