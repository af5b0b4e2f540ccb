/**
 * As much of YAML as the documents of this repository are written in: maps and lists, in blocks and in braces, plain
 * and single-quoted scalars, and `|` blocks. Anything else is an error.
 *
 * @module
 */

export type Yaml = string | number | boolean | null | readonly Yaml[] | { readonly [key: string]: Yaml };

interface Line {
  readonly indent: number;
  readonly text: string;
}

const KEY = /^('[^']*'|[^\s'"{}[\],#&*!|>%@`-][^\s:]*|\$ref):(?: +(.*))?$/;

export function parseYaml(source: string): Yaml {
  const lines = source
    .split('\n')
    .map((line) => ({ indent: line.search(/\S|$/), text: line.trim() }))
    .filter(({ text }, index, all) => text !== '' || all[index] === undefined);
  const reader = new BlockReader(lines);
  const value = reader.block(0);
  if (!reader.isDone) throw new Error(`unexpected line: ${reader.peek()?.text}`);
  return value;
}

class BlockReader {
  #lines: Line[];

  constructor(lines: readonly Line[]) {
    this.#lines = [...lines];
  }

  get isDone(): boolean {
    return this.#lines.length === 0;
  }

  peek(): Line | undefined {
    return this.#lines[0];
  }

  block(indent: number): Yaml {
    return this.peek()?.text.startsWith('- ') ? this.#list(indent) : this.#map(indent);
  }

  #list(indent: number): Yaml {
    const items: Yaml[] = [];
    for (let line = this.peek(); line?.indent === indent && line.text.startsWith('- '); line = this.peek()) {
      const rest = line.text.slice(2).trimStart();
      const inner = indent + line.text.length - rest.length;
      if (KEY.test(rest)) {
        this.#lines[0] = { indent: inner, text: rest };
        items.push(this.#map(inner));
      } else {
        this.#lines.shift();
        items.push(parseFlow(rest));
      }
    }
    return items;
  }

  #map(indent: number): Yaml {
    const entries: [string, Yaml][] = [];
    for (let line = this.peek(); line?.indent === indent; line = this.peek()) {
      const [, key, rest = ''] = KEY.exec(line.text) ?? [];
      if (key === undefined) throw new Error(`no key: ${line.text}`);
      this.#lines.shift();
      entries.push([key.replace(/^'|'$/g, ''), this.#value(indent, rest)]);
    }
    return Object.fromEntries(entries);
  }

  #value(indent: number, rest: string): Yaml {
    if (rest === '|') return this.#literal(indent);
    if (rest !== '') return parseFlow(rest);
    const next = this.peek();
    const isNested = next !== undefined && next.indent > indent;
    return isNested ? this.block(next.indent) : null;
  }

  #literal(indent: number): string {
    const texts: string[] = [];
    for (let line = this.peek(); line !== undefined && line.indent > indent; line = this.peek()) {
      texts.push(line.text);
      this.#lines.shift();
    }
    return texts.join('\n');
  }
}

/** A value on one line. */
function parseFlow(text: string): Yaml {
  if (!text.startsWith('{') && !text.startsWith('[')) return scalar(text);
  const tokens = [
    ...text.matchAll(/'[^']*'|[{}[\],]|:(?= )|(?:[^'{}[\],:\s]|:(?! ))[^{}[\],]*?(?=: |[{}[\],])/g),
  ];
  const words = tokens.map(([word]) => word.trim());
  const value = flowValue(words);
  if (words.length > 0) throw new Error(`left over: ${words.join(' ')} of ${text}`);
  return value;
}

function flowValue(words: string[]): Yaml {
  const word = words.shift();
  if (word === undefined) throw new Error('unfinished braces');
  if (word === '[') return flowItems(words, ']', () => flowValue(words));
  if (word !== '{') return scalar(word);
  const entries = flowItems(words, '}', () => {
    const key = String(scalar(words.shift() as string));
    if (words.shift() !== ':') throw new Error(`no colon behind ${key}`);
    return [key, flowValue(words)] as const;
  });
  return Object.fromEntries(entries);
}

function flowItems<Item>(words: string[], end: string, item: () => Item): Item[] {
  const items: Item[] = [];
  while (words[0] !== end) {
    items.push(item());
    if (words[0] === ',') words.shift();
    else if (words[0] !== end) throw new Error(`expected ${end}, got ${words[0]}`);
  }
  words.shift();
  return items;
}

function scalar(text: string): string | number | boolean | null {
  if (/^'[^']*'$/.test(text)) return text.slice(1, -1);
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  return /^-?\d+$/.test(text) ? Number(text) : text;
}
