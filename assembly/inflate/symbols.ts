/**
 * What symbols stand for, and the code that is known beforehand. Spec: RFC 1951, sections 3.2.5 to 3.2.7.
 *
 * @module
 */
import { END_OF_BLOCK, LITERAL, makeTable, SPECIAL } from './decoding-table';
import {
  CODED_DISTANCES,
  CODED_LITERALS,
  DISTANCE_COUNTS,
  DISTANCE_MEANINGS,
  DISTANCE_SYMBOLS,
  FIXED_DISTANCE_ROOT,
  FIXED_DISTANCE_TABLE,
  FIXED_LITERAL_ROOT,
  FIXED_LITERAL_TABLE,
  LENGTH_MEANINGS,
  LENGTH_SYMBOLS,
  LITERAL_COUNTS,
  LITERAL_MEANINGS,
  LITERAL_SYMBOLS,
} from './layout';

/** Once, before anything is inflated. */
export function writeSymbols(): void {
  for (let symbol = 0; symbol < 256; symbol++) mean(LITERAL_MEANINGS, symbol, LITERAL | (symbol << 16));
  mean(LITERAL_MEANINGS, 256, SPECIAL | END_OF_BLOCK);
  let base: u32 = 3;
  for (let symbol = 257; symbol < 285; symbol++) {
    const extra = symbol < 265 ? 0 : (symbol - 261) >> 2;
    mean(LITERAL_MEANINGS, symbol, (base << 16) | extra);
    base += 1 << extra;
  }
  mean(LITERAL_MEANINGS, 285, 258 << 16);
  mean(LITERAL_MEANINGS, 286, SPECIAL);
  mean(LITERAL_MEANINGS, 287, SPECIAL);

  base = 1;
  for (let symbol = 0; symbol < 30; symbol++) {
    const extra = symbol < 4 ? 0 : (symbol - 2) >> 1;
    mean(DISTANCE_MEANINGS, symbol, (base << 16) | extra);
    base += 1 << extra;
  }
  mean(DISTANCE_MEANINGS, 30, SPECIAL);
  mean(DISTANCE_MEANINGS, 31, SPECIAL);

  for (let symbol = 0; symbol < LENGTH_SYMBOLS; symbol++) {
    const extra = symbol < 16 ? 0 : symbol == 16 ? 2 : symbol == 17 ? 3 : 7;
    mean(LENGTH_MEANINGS, symbol, (symbol << 16) | extra);
  }
  makeFixedTables();
}

function mean(meanings: usize, symbol: i32, entry: u32): void {
  store<u32>(meanings + (symbol << 2), entry);
}

function makeFixedTables(): void {
  for (let symbol = 0; symbol < LITERAL_SYMBOLS; symbol++) {
    const width = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    store<u16>(CODED_LITERALS + (symbol << 1), <u16>((symbol << 4) | width));
  }
  store<u16>(LITERAL_COUNTS, 24, 7 * 2);
  store<u16>(LITERAL_COUNTS, 152, 8 * 2);
  store<u16>(LITERAL_COUNTS, 112, 9 * 2);
  makeTable(
    CODED_LITERALS,
    LITERAL_SYMBOLS,
    LITERAL_COUNTS,
    LITERAL_MEANINGS,
    FIXED_LITERAL_TABLE,
    FIXED_LITERAL_ROOT,
  );
  for (let symbol = 0; symbol < DISTANCE_SYMBOLS; symbol++) {
    store<u16>(CODED_DISTANCES + (symbol << 1), <u16>((symbol << 4) | 5));
  }
  store<u16>(DISTANCE_COUNTS, DISTANCE_SYMBOLS, 5 * 2);
  makeTable(
    CODED_DISTANCES,
    DISTANCE_SYMBOLS,
    DISTANCE_COUNTS,
    DISTANCE_MEANINGS,
    FIXED_DISTANCE_TABLE,
    FIXED_DISTANCE_ROOT,
  );
}
