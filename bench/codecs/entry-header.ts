import { OFS_DELTA } from '../../src/core/object-kind.ts';
import {
  createEntryHeader,
  MAX_ENTRY_HEADER_BYTES,
  parseEntryHeader,
  writeBaseDistance,
  writeTypeAndSize,
} from '../../src/pack/entry-header.ts';
import type { Case } from './case.ts';

const HEADERS = 1000;

export function entryHeaderCases(): Case[] {
  const bytes = new Uint8Array(HEADERS * MAX_ENTRY_HEADER_BYTES);
  const header = createEntryHeader();
  const write = (): number => {
    let end = 0;
    for (let i = 0; i < HEADERS; i++) {
      end = writeTypeAndSize(bytes, end, OFS_DELTA, 10 + i * 7);
      end = writeBaseDistance(bytes, end, 100 + i * 991);
    }
    return end;
  };
  const end = write();
  const common = { group: 'entry header', items: HEADERS, bytes: 0 };
  return [
    {
      ...common,
      name: 'parse OFS_DELTA headers',
      run: () => {
        for (let at = 0; at < end; at += header.headerBytes) parseEntryHeader(bytes, at, end, 20, header);
      },
    },
    { ...common, name: 'write OFS_DELTA headers', run: () => void write() },
  ];
}
