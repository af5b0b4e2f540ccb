/**
 * Reading a pack front to back beside the shared windows: a pass over a whole pack must not push out the blocks
 * that reading objects needs.
 *
 * @module
 */
import { FileWindows, WindowPool } from '../../pack/file-windows.ts';
import type { RandomAccessFile } from '../../pack/stored-pack.ts';

/** Two blocks: the present one and, for what straddles, the next. */
const BUDGET_BYTES = 128 * 1024;

export function openEntryWindows(file: RandomAccessFile): FileWindows {
  return new FileWindows(file, new WindowPool(BUDGET_BYTES));
}
