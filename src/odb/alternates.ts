/**
 * `info/alternates`: other object directories to look in, one path a line.
 * Spec: gitrepository-layout(5), "objects/info/alternates".
 *
 * @module
 */
import { decodeText } from '../core/bytes.ts';

/** Alternates of alternates are followed this deep; git ignores deeper ones. */
export const MAX_ALTERNATE_DEPTH = 5;

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  '\\': 92,
};

/** The paths of the file, in order; relative ones are relative to the objects directory it belongs to. */
export function parseAlternates(content: Uint8Array): string[] {
  const paths: string[] = [];
  for (const line of decodeText(content).split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    // Broken quoting is no quoting: the line is then the path, as in git.
    paths.push((line.startsWith('"') ? unquote(line) : undefined) ?? line);
  }
  return paths.filter((path) => path !== '');
}

/** C-style quoting as git writes it. @returns `undefined` when it is malformed */
function unquote(line: string): string | undefined {
  if (line.length < 2 || !line.endsWith('"')) return undefined;
  const bytes: number[] = [];
  const inner = line.slice(1, -1);
  for (let i = 0; i < inner.length; i++) {
    const character = inner[i] as string;
    if (character === '"') return undefined;
    if (character !== '\\') {
      const point = inner.codePointAt(i) as number;
      bytes.push(...new TextEncoder().encode(String.fromCodePoint(point)));
      if (point > 0xffff) i++;
      continue;
    }
    const octal = /^[0-3][0-7]{2}/.exec(inner.slice(i + 1))?.[0];
    const escaped = ESCAPES[inner[i + 1] ?? ''];
    if (octal !== undefined) {
      bytes.push(Number.parseInt(octal, 8));
      i += 3;
    } else if (escaped !== undefined) {
      bytes.push(escaped);
      i += 1;
    } else {
      return undefined;
    }
  }
  return decodeText(Uint8Array.from(bytes));
}
