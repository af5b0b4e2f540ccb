/**
 * A range of a pack's bytes on its way into the output, which may fill up in between.
 *
 * @module
 */
import type { RandomAccessFile } from '../../pack/stored-pack.ts';
import type { EntryBytes } from './entry-windows.ts';
import type { PackOutput } from './pack-output.ts';

/** A range this long is read from the file straight into the output, a shorter one through a window. */
export const LONG_RANGE_BYTES = 32 * 1024;
/** Ranges end here, so that gathering one takes no noticeable time. */
export const MOST_RANGE_BYTES = 1024 * 1024;

export class PackRange {
  readonly #file: RandomAccessFile;
  readonly #windows: EntryBytes;
  readonly #longRangeBytes: number;
  /** Bytes of the pack that are still to be copied. */
  #start = 0;
  #end = 0;

  /** @param longRangeBytes from this length on the file is read straight into the output */
  constructor(file: RandomAccessFile, windows: EntryBytes, longRangeBytes: number) {
    this.#file = file;
    this.#windows = windows;
    this.#longRangeBytes = longRangeBytes;
  }

  /** The next range; the one before has been copied. */
  begin(start: number, end: number): void {
    this.#start = start;
    this.#end = end;
  }

  /** Copy until the range is through or the output is full. */
  copyInto(output: PackOutput): void {
    while (this.#start < this.#end && !output.isFull) {
      if (this.#end - this.#start >= this.#longRangeBytes) {
        this.#start = output.appendFile(this.#file, this.#start, this.#end);
      } else {
        const windows = this.#windows;
        windows.seek(this.#start);
        const most = Math.min(windows.end - windows.at, this.#end - this.#start);
        this.#start += output.append(windows.bytes, windows.at, windows.at + most) - windows.at;
      }
    }
  }
}
