/**
 * Inputs kept in `fixtures/fuzz/<parser>/`: `corpus.json` with those that are answered in a way of their own, and a file
 * for each that once did what no input may.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const KEPT = resolve(import.meta.dirname, '../../fixtures/fuzz');

const CORPUS = 'corpus.json';
/** A longer input is not written down, and no more of them: they are to be read by people too. */
const MOST_BYTES = 2048;
const MOST_INPUTS = 40;

/** Inputs of earlier campaigns through this parser, defects among them. */
export function keptInputs(parser: string): Uint8Array[] {
  const folder = join(KEPT, parser);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) =>
      name === CORPUS
        ? (JSON.parse(readFileSync(join(folder, name), 'utf8')) as string[]).map(fromBase64)
        : [new Uint8Array(readFileSync(join(folder, name)))],
    );
}

/** @returns the path of the file */
export function keepFailure(parser: string, input: Uint8Array): string {
  const folder = join(KEPT, parser);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, createHash('sha1').update(input).digest('hex').slice(0, 12));
  writeFileSync(path, input);
  return path;
}

export function keepCorpus(parser: string, inputs: readonly Uint8Array[]): void {
  const short = inputs.filter(({ length }) => length <= MOST_BYTES).slice(0, MOST_INPUTS);
  if (short.length === 0) return;
  const folder = join(KEPT, parser);
  mkdirSync(folder, { recursive: true });
  const lines = short.map((input) => JSON.stringify(Buffer.from(input).toString('base64')));
  writeFileSync(join(folder, CORPUS), `[\n${lines.join(',\n')}\n]\n`);
}

function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}
