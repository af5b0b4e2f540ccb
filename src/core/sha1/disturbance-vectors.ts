/**
 * The disturbance vectors of SHA-1 that an attacker could use, and the conditions that no message of such an attack
 * can avoid.
 * Spec: Stevens and Shumow, "Speeding up detection of SHA-1 collision attacks using unavoidable attack conditions"
 * (USENIX Security 2017), section 4; Manuel, "Classification and generation of disturbance vectors for collision
 * attacks against SHA-1" (2011).
 *
 * @module
 */

/** Steps of the compression function, and words of an expanded message. */
export const STEPS = 80;

/**
 * A vector a line: its type, K and b, then its conditions. `37.4=40.29` says that bit 4 of word 37 of the expanded
 * message equals bit 29 of word 40; `!` that they differ.
 */
const TABLE = `
I  43 0  37.4!39.4 37.4=40.29 39.4!41.4 39.4=42.29 41.4=44.29 43.4=46.29 44.29!46.29 46.29=47.29 58.0!63.30 59.5=63.30 61.1!62.6
I  44 0  38.4!40.4 38.4=41.29 40.4!42.4 40.4=43.29 40.29=41.29 42.4=45.29 44.4=47.29 45.29!47.29 47.29=48.29 59.0!64.30 60.5=64.30 62.1!63.6
I  45 0  35.4=39.29 39.4!41.4 39.4=42.29 41.4=44.29 41.29=42.29 43.4=46.29 44.29!46.29 45.4=48.29 46.29!48.29 48.29=49.29 60.0!61.5 63.1!64.6
I  46 0  36.4=40.29 40.4!42.4 40.4=43.29 42.4=45.29 42.29=43.29 44.4=47.29 45.29!47.29 46.4=49.29 47.29!49.29 49.29=50.29 61.0!62.5
I  46 2  35.1!36.6 39.1!40.6 40.6=42.6 42.6=44.6 44.6=46.6 46.6=47.1 61.2!62.7
I  47 0  37.4=40.29 40.29=41.29 41.4=44.29 43.4=46.29 43.29=44.29 44.29!46.29 45.4=48.29 46.29!48.29 47.4=50.29 48.29!50.29 50.29=51.29 62.0!63.5
I  47 2  36.1!37.6 40.1!41.6 41.6=43.6 43.6=45.6 45.6=47.6 47.6=48.1 62.2!63.7
I  48 0  35.4=39.29 38.4=41.29 40.29=41.29 41.29=42.29 42.4=45.29 44.4=47.29 44.29=45.29 45.29!47.29 46.4=49.29 47.29!49.29 48.4=51.29 49.29!51.29 51.29=52.29 63.0!64.5
I  48 2  37.1!38.6 41.1!42.6 42.6=44.6 44.6=46.6 46.6=48.6 48.6=49.1 63.2!64.7
I  49 0  36.4=40.29 39.4=42.29 41.29=42.29 42.29=43.29 43.4=46.29 45.4=48.29 45.29=46.29 46.29!48.29 47.4=50.29 48.29!50.29 49.4=52.29 50.29!52.29 52.29=53.29
I  49 2  35.1!36.6 38.1!40.1 39.6=40.1 42.1!50.1 43.6=45.6 45.6=47.6 47.6=49.6 49.6=50.1
I  50 0  36.4!37.4 37.4=41.29 40.4=43.29 42.29=43.29 43.29=44.29 44.4=47.29 46.4=49.29 46.29=47.29 47.29!49.29 48.4=51.29 49.29!51.29 50.4=53.29 51.29!54.29 53.29=54.29
I  50 2  36.1!37.6 39.1!40.6 40.6=41.1 43.1!51.1 44.6=46.6 46.6=48.6 48.6=50.6 50.6=51.1
I  51 0  35.3=39.28 37.4!38.4 38.4=42.29 41.4=44.29 43.29=44.29 44.29=45.29 45.4=48.29 47.4=50.29 47.29=48.29 48.29!50.29 48.29!55.29 49.4=52.29 50.29!52.29 51.4=54.29 54.29=55.29
I  51 2  35.5=39.30 37.1=37.6 37.1!38.6 40.1!41.6 41.6=42.1 44.1!45.6 45.6=47.6 47.6=49.6 49.6=51.6 51.6=52.1
I  52 0  38.4!39.4 39.4=43.29 42.4=45.29 44.29=45.29 45.29=46.29 46.4=49.29 48.4=51.29 48.29=49.29 48.29!55.29 49.29!51.29 50.4=53.29 52.4=55.29 53.29!56.29 55.29=56.29
II 45 0  36.4=40.29 41.4=44.29 43.29=44.29 44.29=45.29 47.4=50.29 49.4=52.29 49.29=50.29 50.29!52.29 52.29=53.29 60.0!61.5 63.1!64.6
II 46 0  37.4=40.29 40.29=41.29 42.4=45.29 44.29=45.29 45.29=46.29 48.4=51.29 50.4=53.29 50.29=51.29 51.29!54.29 53.29=54.29 61.0!62.5
II 46 2  36.1!37.6 41.1!42.6 42.6=43.1 47.1!51.1 48.6=50.6 50.6=51.1 61.2!62.7
II 47 0  35.3=39.28 35.4=39.29 38.4=41.29 40.29=41.29 41.29=42.29 43.4=46.29 45.29=46.29 46.29=47.29 49.4=52.29 51.4=54.29 51.29=52.29 51.29!54.29 54.29=55.29 62.0!63.5
II 48 0  35.30!40.28 36.3=40.28 36.4=40.29 39.4=42.29 41.29=42.29 42.29=43.29 44.4=47.29 46.29=47.29 47.29=48.29 50.4=53.29 52.4=55.29 52.29=53.29 53.29!56.29 55.29=56.29 63.0!64.5
II 49 0  36.30!41.28 37.3=41.28 37.4=41.29 40.4=43.29 42.29=43.29 43.29=44.29 45.4=48.29 47.29=48.29 48.29=49.29 51.4=54.29 53.4=56.29 53.29=54.29 53.29!56.29 56.29=57.29
II 49 2  36.0!41.30 37.5=41.30 39.1!40.6 40.6=41.1 44.1!45.6 45.6=46.1 50.1!54.1 51.6=53.6 53.6=54.1
II 50 0  37.30!42.28 38.3=42.28 38.4=42.29 41.4=44.29 43.29=44.29 44.29=45.29 46.4=49.29 48.29=49.29 49.29=50.29 52.4=55.29 54.4=57.29 54.29=55.29 55.29!58.29 57.29=58.29
II 50 2  37.0!42.30 38.5=42.30 40.1!41.6 41.6=42.1 45.1!47.1 46.6=47.1 51.1!55.1 52.6=54.6 54.6=55.1
II 51 0  38.30!43.28 39.3=43.28 39.4=43.29 42.4=45.29 44.29=45.29 45.29=46.29 47.4=50.29 49.29=50.29 50.29=51.29 53.4=56.29 55.4=58.29 55.29=56.29 56.29!59.29 58.29=59.29
II 51 2  38.0!43.30 39.5=43.30 41.1!42.6 42.6=43.1 46.1!48.1 47.6=48.1 52.1!56.1 53.6=55.6 55.6=56.1
II 52 0  36.4!38.4 39.30!44.28 40.3=44.28 40.4=44.29 43.4=46.29 45.29=46.29 46.29=47.29 48.4=51.29 50.29=51.29 51.29=52.29 54.4=57.29 56.4=59.29 56.29=57.29 56.29!59.29 59.29=60.29
II 53 0  37.4!39.4 37.4=40.29 41.3=45.28 41.4=45.29 44.4=47.29 46.29=47.29 47.29=48.29 49.4=52.29 51.29=52.29 52.29=53.29 55.4=58.29 57.4=61.29 57.29=58.29 58.29!61.29
II 54 0  36.4!38.4 38.4!40.4 38.4=41.29 42.3=46.28 42.4=46.29 45.4=48.29 47.29=48.29 48.29=49.29 50.4=53.29 52.29=53.29 53.29=54.29 56.4=59.29 58.4=62.29 58.29=59.29
II 55 0  37.4!39.4 37.4=40.29 39.4!41.4 39.4=42.29 43.3=47.28 43.4=47.29 46.4=49.29 48.29=49.29 49.29=50.29 51.4=54.29 53.29=54.29 54.29=55.29 57.4=59.29 59.4=63.29
II 56 0  38.4!40.4 38.4=41.29 40.4!42.4 40.4=43.29 40.29=41.29 44.3=48.28 44.4=48.29 47.4=50.29 49.29=50.29 50.29=51.29 52.4=55.29 54.29=55.29 55.29=56.29 60.4=64.29
`;

/** Whether two bits of an expanded message are the same, or are not. */
export interface BitCondition {
  readonly word: number;
  readonly bit: number;
  readonly otherWord: number;
  readonly otherBit: number;
  readonly areEqual: boolean;
}

export interface DisturbanceVector {
  readonly type: 'I' | 'II';
  readonly k: number;
  readonly b: number;
  /** Both messages of an attack have the same inner state before this step. */
  readonly sameStateStep: number;
  /** All of them hold in both messages of every attack. */
  readonly conditions: readonly BitCondition[];
}

/** All vectors; sets of them are bit masks, vector `v` being bit `v`. */
export function disturbanceVectors(): readonly DisturbanceVector[] {
  return TABLE.trim()
    .split('\n')
    .map((line) => {
      const [type, k, b, ...conditions] = line.split(/ +/);
      return {
        type: type as 'I' | 'II',
        k: Number(k),
        b: Number(b),
        sameStateStep: Number(k) < 50 ? 58 : 65,
        conditions: conditions.map(parseCondition),
      };
    });
}

/** What an attack by the vector changes in each word of the expanded message, by exclusive or. */
export function messageDifferences({ type, k, b }: DisturbanceVector): Int32Array {
  // Word t of the vector stands at t + 5: the first local collisions begin before the first step.
  const vector = new Int32Array(STEPS + 5);
  const at = k + 5;
  if (type === 'II') {
    vector[at + 1] = 1 << ((b + 31) % 32);
    vector[at + 3] = 1 << ((b + 31) % 32);
  }
  vector[at + 15] = 1 << b;
  for (let t = at + 16; t < vector.length; t++) {
    vector[t] = rotated(
      word(vector, t - 3) ^ word(vector, t - 8) ^ word(vector, t - 14) ^ word(vector, t - 16),
      1,
    );
  }
  for (let t = at - 1; t >= 0; t--) {
    vector[t] =
      rotated(word(vector, t + 16), 31) ^ word(vector, t + 13) ^ word(vector, t + 8) ^ word(vector, t + 2);
  }
  // A local collision disturbs one bit, and corrects it in the five steps that follow.
  return Int32Array.from({ length: STEPS }, (_, step) => {
    const t = step + 5;
    return (
      word(vector, t) ^
      rotated(word(vector, t - 1), 5) ^
      word(vector, t - 2) ^
      rotated(word(vector, t - 3) ^ word(vector, t - 4) ^ word(vector, t - 5), 30)
    );
  });
}

function word(words: Int32Array, t: number): number {
  return words[t] as number;
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function parseCondition(text: string): BitCondition {
  const [word, bit, otherWord, otherBit] = text.split(/[.=!]/).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return { word, bit, otherWord, otherBit, areEqual: text.includes('=') };
}
