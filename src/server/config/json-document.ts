/**
 * JSON with comments and commas at the end of lists, and where everything stands in it.
 *
 * @module
 */
import { createScanner, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Origin, PathStep, Problem } from './problem.ts';

const SENTENCES: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is no value: text stands in double quotes, and true, false and null are written so',
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'the name of a member is missing, in double quotes',
  ValueExpected: 'a value is missing',
  ColonExpected: 'a colon is missing between name and value',
  CommaExpected: 'a comma is missing',
  CloseBraceExpected: 'a } is missing',
  CloseBracketExpected: 'a ] is missing',
  EndOfFileExpected: 'nothing may follow the closing }',
  UnexpectedEndOfComment: 'this comment has no end',
  UnexpectedEndOfString: 'this text has no closing quote',
  UnexpectedEndOfNumber: 'this number is not whole',
  InvalidUnicode: '\\u wants four hexadecimal digits',
  InvalidEscapeCharacter: 'there is no such escape in JSON',
  InvalidCharacter: 'this character must be escaped',
};

/** Objects and lists in each other; nothing that is configured needs ten. */
const MAX_DEPTH = 64;

/** Of jsonc-parser's SyntaxKind, whose names exist for its own compiler only. */
const TOKEN = { openBrace: 1, closeBrace: 2, openBracket: 3, closeBracket: 4, end: 17 } as const;

/** A text that was read; {@link value} is `{}` when it is empty. */
export class JsonDocument {
  /** Name of the file, for places. */
  readonly path: string;
  readonly value: unknown;
  /** What is wrong with it as JSON: its first error only, since others follow from it; and names given twice. */
  readonly problems: readonly Problem[];
  readonly #text: string;
  /** Where each line begins, once somebody asks for a place. */
  #lineStarts: readonly number[] | undefined;
  readonly #root: Node | undefined;

  constructor(path: string, text: string) {
    const errors: ParseError[] = [];
    const content = text.startsWith('\uFEFF') ? ` ${text.slice(1)}` : text;
    this.path = path;
    this.#text = content;
    const abyss = depthExceededAt(content);
    if (abyss !== undefined) {
      const sentence = `objects and lists may be nested ${MAX_DEPTH} deep`;
      this.value = {};
      this.problems = [{ severity: 'error', origin: this.#originAt(abyss), setting: '', sentence }];
      return;
    }
    this.#root = parseTree(content, errors, { allowTrailingComma: true, allowEmptyContent: true });
    const problems: Problem[] = [];
    const [error] = errors;
    if (error !== undefined) {
      const sentence = SENTENCES[printParseErrorCode(error.error)] ?? 'this is no JSON';
      problems.push({ severity: 'error', origin: this.#originAt(error.offset), setting: '', sentence });
    }
    this.value = error === undefined && this.#root !== undefined ? this.#valueOf(this.#root, problems) : {};
    this.problems = problems;
  }

  /** Where the value at `path` stands; `undefined` when there is none. */
  originOf(path: readonly PathStep[]): Origin | undefined {
    const node = this.#nodeAt(path);
    return node === undefined ? undefined : this.#originAt(node.offset);
  }

  /** Where the value at `path` stands, or what it would stand in. */
  nearestOrigin(path: readonly PathStep[]): Origin {
    let node = this.#root;
    for (const step of path) {
      const child = node === undefined ? undefined : childOf(node, step);
      if (child === undefined) break;
      node = child;
    }
    return this.#originAt(node?.offset ?? 0);
  }

  /** Where the name of the member `name` of the object at `path` stands. */
  originOfName(path: readonly PathStep[], name: string): Origin {
    const value = this.#nodeAt([...path, name]);
    return this.#originAt(value?.parent?.offset ?? this.#nodeAt(path)?.offset ?? 0);
  }

  #nodeAt(path: readonly PathStep[]): Node | undefined {
    let node = this.#root;
    for (const step of path) node = node === undefined ? undefined : childOf(node, step);
    return node;
  }

  #valueOf(node: Node, problems: Problem[]): unknown {
    if (node.type === 'array') return (node.children ?? []).map((item) => this.#valueOf(item, problems));
    if (node.type !== 'object') return node.value as unknown;
    const value: Record<string, unknown> = {};
    for (const { offset, children: [name, member] = [] } of node.children ?? []) {
      const key = String(name?.value);
      const sentence = Object.hasOwn(value, key)
        ? `${JSON.stringify(key)} is given twice`
        : key === '__proto__'
          ? 'no member may be called "__proto__"'
          : undefined;
      if (sentence === undefined) value[key] = member === undefined ? null : this.#valueOf(member, problems);
      else problems.push({ severity: 'error', origin: this.#originAt(offset), setting: '', sentence });
    }
    return value;
  }

  #originAt(offset: number): Origin {
    this.#lineStarts ??= lineStartsOf(this.#text);
    let [line, end] = [0, this.#lineStarts.length];
    while (end - line > 1) {
      const middle = (line + end) >> 1;
      if ((this.#lineStarts[middle] as number) <= offset) line = middle;
      else end = middle;
    }
    const column = offset - (this.#lineStarts[line] as number) + 1;
    return { kind: 'file', path: this.path, line: line + 1, column };
  }
}

function childOf(node: Node, step: PathStep): Node | undefined {
  if (node.type === 'array') return typeof step === 'number' ? node.children?.[step] : undefined;
  if (node.type !== 'object') return undefined;
  return node.children?.find(({ children: [name] = [] }) => name?.value === step)?.children?.[1];
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

/** Where the nesting gets too deep for a parser that calls itself. */
function depthExceededAt(text: string): number | undefined {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (let token: number = scanner.scan(); token !== TOKEN.end; token = scanner.scan()) {
    if (token === TOKEN.openBrace || token === TOKEN.openBracket) depth++;
    if (token === TOKEN.closeBrace || token === TOKEN.closeBracket) depth--;
    if (depth > MAX_DEPTH) return scanner.getTokenOffset();
  }
  return undefined;
}
