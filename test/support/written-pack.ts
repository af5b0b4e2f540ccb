/**
 * A selection planned and written in one go, as a fetch does it.
 *
 * @module
 */
import type { ObjectReader } from '../../src/odb/object-database.ts';
import type { ObjectSelection } from '../../src/repository/object-selection.ts';
import { type PackPlanningOptions, planPack } from '../../src/repository/pack-writing/plan-pack.ts';
import { type PackWritingOptions, writePack } from '../../src/repository/pack-writing/write-pack.ts';

export type SelectionWritingOptions = PackPlanningOptions & PackWritingOptions;

export async function* writeSelection(
  reader: ObjectReader,
  selection: ObjectSelection,
  options: SelectionWritingOptions,
): AsyncGenerator<Uint8Array, undefined> {
  yield* writePack(reader, await planPack(reader, selection, options), options);
}
