/**
 * Inflating zlib streams, one after another, in memory of fixed size, in AssemblyScript: the exports.
 *
 * The caller writes deflated bytes to the input area, calls {@link run}, and takes inflated bytes from the output area,
 * which is the history that matches are copied from as well. Elements are taken whole: a header, the tables of a
 * block, a literal, a match. One whose end has not arrived is left, at the start of the input area, and begun again
 * with the bytes that follow. So no element has states of its own, reading ahead needs no checks (what was read past
 * the end of the input shows when the element is complete), and the output exceeds the room by at most a match.
 *
 * What is refused is what zlib refuses, and after as many bytes. `src/core/inflate/wasm-inflater.ts` calls every export.
 * Spec: RFC 1950; RFC 1951.
 *
 * @module
 */
import { literalRoot, distanceRoot, takeCodeLengths } from './code-lengths';
import { takeCodes, useFixedTables, useOwnTables } from './codes';
import {
  at,
  backToMark,
  beginInput,
  bits,
  drop,
  giveBackBytes,
  has,
  inputEnd,
  mark,
  peek,
  refill,
  setInput,
  skipToByte,
  takeBytes,
} from './input';
import { INPUT, INPUT_BYTES, OUTPUT, REPORT } from './layout';
import {
  BAD_BLOCK,
  BAD_CHECKSUM,
  BAD_HEADER,
  ENDED,
  FIRST_FAILURE,
  MORE_INPUT,
  MORE_OUTPUT,
  NEEDS_DICTIONARY,
  TAKEN,
} from './outcome';
import { beginOutput, currentChecksum, filledTo, out, roomEnd, setRoom } from './output';
import { writeSymbols } from './symbols';

// What comes next in the stream.
const STREAM_HEADER: i32 = 0;
const BLOCK_HEADER: i32 = 1;
const STORED_BYTES: i32 = 2;
const CODES: i32 = 3;
const TRAILER: i32 = 4;
const NOTHING: i32 = 5;

let next: i32 = STREAM_HEADER;
let isLastBlock: bool = false;
/** Bytes to come of a stored block. */
let stored: i32 = 0;
/** What {@link run} says once the stream has ended or is broken. */
let end: i32 = ENDED;

writeSymbols();

export function inputStart(): usize {
  return INPUT;
}

export function inputBytes(): i32 {
  return INPUT_BYTES;
}

export function outputStart(): usize {
  return OUTPUT;
}

/**
 * Of the last {@link run}, four words: bytes of input it used, bytes it left at the start of the input area, where in
 * the output area its output begins and where it ends.
 */
export function reportStart(): usize {
  return REPORT;
}

/**
 * Inflate on.
 *
 * @param begin whether this is the start of a stream
 * @param length bytes in the input area: those that were left there, then those that follow
 * @param room inflated bytes wanted. All that the last run made must have been taken; there may be less
 * @returns MORE_OUTPUT, MORE_INPUT, ENDED or a failure; bytes are left in the input area for MORE_INPUT only
 */
export function run(begin: bool, length: i32, room: i32): i32 {
  if (begin) {
    next = STREAM_HEADER;
    beginInput();
    beginOutput();
  }
  setInput(length);
  setRoom(room);
  const outputBegin = out;
  let result = TAKEN;
  while (result == TAKEN) {
    mark();
    result = take();
  }

  let left = 0;
  if (result == MORE_INPUT) {
    backToMark();
    giveBackBytes();
    left = <i32>(inputEnd - at);
    if (left > 0) memory.copy(INPUT, at, left);
  } else {
    giveBackBytes();
    if (result >= ENDED) {
      next = NOTHING;
      end = result;
    }
  }
  if (result != ENDED) currentChecksum();
  store<u32>(REPORT, <u32>(at - INPUT));
  store<u32>(REPORT, <u32>left, 4);
  store<u32>(REPORT, <u32>(outputBegin - OUTPUT), 8);
  store<u32>(REPORT, <u32>(out - OUTPUT), 12);
  return result;
}

function take(): i32 {
  switch (next) {
    case STREAM_HEADER:
      return takeStreamHeader();
    case BLOCK_HEADER:
      return takeBlockHeader();
    case STORED_BYTES:
      return takeStored();
    case CODES:
      return takeBlockCodes();
    case TRAILER:
      return takeTrailer();
    default:
      return end;
  }
}

/** RFC 1950, section 2.2. */
function takeStreamHeader(): i32 {
  refill();
  if (!has(16)) return MORE_INPUT;
  const methodAndWindow = peek(8);
  const flags = <u32>(bits >> 8) & 0xff;
  if (((methodAndWindow << 8) | flags) % 31 != 0) return BAD_HEADER;
  if ((methodAndWindow & 15) != 8 || methodAndWindow >> 4 > 7) return BAD_HEADER;
  if (flags & 0x20) return has(48) ? NEEDS_DICTIONARY : MORE_INPUT;
  drop(16);
  next = BLOCK_HEADER;
  return TAKEN;
}

/** RFC 1951, section 3.2.3. */
function takeBlockHeader(): i32 {
  refill();
  if (!has(3)) return MORE_INPUT;
  isLastBlock = (<u32>bits & 1) != 0;
  const kind = (<u32>bits >> 1) & 3;
  drop(3);
  if (kind == 0) return takeStoredHeader();
  if (kind == 1) {
    useFixedTables();
  } else if (kind == 2) {
    const result = takeCodeLengths();
    if (result != TAKEN) return result;
    useOwnTables(literalRoot, distanceRoot);
  } else {
    return BAD_BLOCK;
  }
  next = CODES;
  return TAKEN;
}

/** RFC 1951, section 3.2.4. */
function takeStoredHeader(): i32 {
  skipToByte();
  refill();
  if (!has(32)) return MORE_INPUT;
  const length = peek(16);
  drop(16);
  if (length + peek(16) != 0xffff) return BAD_BLOCK;
  drop(16);
  skipToByte();
  stored = <i32>length;
  next = STORED_BYTES;
  return TAKEN;
}

function takeStored(): i32 {
  while (stored > 0) {
    const available = <i32>(inputEnd - at);
    if (available == 0) {
      mark();
      return MORE_INPUT;
    }
    if (out > roomEnd) return MORE_OUTPUT;
    const length = min(min(stored, available), <i32>(roomEnd - out) + 1);
    memory.copy(out, takeBytes(length), length);
    filledTo(out + length);
    stored -= length;
  }
  return endBlock();
}

function takeBlockCodes(): i32 {
  const result = takeCodes();
  return result == TAKEN ? endBlock() : result;
}

function endBlock(): i32 {
  next = isLastBlock ? TRAILER : BLOCK_HEADER;
  return TAKEN;
}

/** RFC 1950, section 2.2. */
function takeTrailer(): i32 {
  skipToByte();
  refill();
  if (!has(32)) return MORE_INPUT;
  if (bswap<u32>(<u32>bits) != currentChecksum()) return BAD_CHECKSUM;
  drop(32);
  return ENDED;
}
