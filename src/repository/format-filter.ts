/**
 * Object filters as text.
 * Spec: git-rev-list(1), `--filter`.
 *
 * @module
 */
import type { ObjectFilter } from './object-filter.ts';

/** The spec that `parseObjectFilter` reads as `filter`, with sizes in bytes, as git expands it. */
export function formatObjectFilter(filter: ObjectFilter): string {
  switch (filter.kind) {
    case 'blob:none':
      return 'blob:none';
    case 'blob:limit':
      return `blob:limit=${filter.limitBytes}`;
    case 'tree':
      return `tree:${filter.depth}`;
    case 'object:type':
      return `object:type=${filter.type}`;
    case 'sparse:oid':
      return `sparse:oid=${filter.name}`;
    case 'combine':
      return `combine:${filter.filters.map((part) => encodePart(formatObjectFilter(part))).join('+')}`;
  }
}

/** A part of a combination must not hold what separates them, nor what git reserves. */
function encodePart(spec: string): string {
  return spec.replace(/[^A-Za-z0-9:=._/-]/g, encodeCharacter);
}

function encodeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
