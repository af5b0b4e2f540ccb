/**
 * Grammars: a rule makes text, a character a byte, mostly as the protocol has it.
 *
 * @module
 */
import type { Random } from '../../fixtures/random.ts';
import { encodeLatin1 } from '../../src/core/bytes.ts';

export type Rule = (random: Random) => string;

/** One of these, each as likely as the others. */
export function oneOf(...choices: readonly (Rule | string)[]): Rule {
  return (random) => made(random, random.pick(choices));
}

/** All of these, one behind the other. */
export function sequence(...parts: readonly (Rule | string)[]): Rule {
  return (random) => parts.map((part) => made(random, part)).join('');
}

/** From none to `most` of them. */
export function some(rule: Rule | string, most: number, separator = ''): Rule {
  return (random) => Array.from({ length: random.below(most + 1) }, () => made(random, rule)).join(separator);
}

/** A packet of a text that need not fit one; a flush, a delimiter or an end now and then. */
export function packet(rule: Rule | string): Rule {
  return (random) => {
    const text = made(random, rule);
    if (random.below(64) === 0) return random.pick(['0000', '0001', '0002', '0003', '0004', 'fff1', '-001']);
    return `${((text.length + 4) & 0xffff).toString(16).padStart(4, '0')}${text}`;
  };
}

export function bytes(rule: Rule): (random: Random) => Uint8Array {
  return (random) => encodeLatin1(rule(random));
}

const ZERO = '0'.repeat(40);

/** Ids of few objects, so that they meet again; and what nearly is one. */
export const ID: Rule = (random) => {
  switch (random.below(20)) {
    case 0:
      return ZERO;
    case 1:
      return 'A'.repeat(40);
    case 2:
      return 'a'.repeat(random.pick([0, 39, 41, 64]));
    default:
      return random.pick('0123456789abcdef'.split('')).repeat(40);
  }
};

export const REF_NAME: Rule = oneOf(
  'HEAD',
  'refs/heads/main',
  'refs/heads/a',
  'refs/heads/a/b',
  'refs/tags/v1',
  'refs/heads/../../config',
  'refs/heads/a.lock',
  'refs/heads/.a',
  'refs/heads/a..b',
  'refs/heads/a@{1}',
  'refs/heads/\xc3\xa9',
  'refs/heads/\xed\xa0\x80',
  'refs/heads/\xff',
  'refs/',
  'refs//a',
  'refs/heads/*',
  '@',
  sequence('refs/heads/', some(oneOf('a', '/', '.', '-', '@', '{', '~', ' ', '\x7f'), 12)),
);

export const NUMBER: Rule = oneOf(
  '0',
  '1',
  '2',
  '10',
  '1024',
  '2147483647',
  '2147483648',
  '4294967296',
  '9007199254740993',
  '18446744073709551616',
  '-1',
  '+1',
  ' 1',
  '1 ',
  '0x10',
  '1e3',
  '1k',
  '1m',
  '1g',
  '999999g',
  '',
);

function made(random: Random, rule: Rule | string): string {
  return typeof rule === 'string' ? rule : rule(random);
}
