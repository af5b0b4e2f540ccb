/**
 * The requests that the serving benchmarks put to a server, as a client sends them.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

const DELIMITER = '0001';
const FLUSH = '0000';

/**
 * How a server wants to be asked: protocol v2; v0 as over stateless HTTP; v0 without side-band or thin packs,
 * for servers that know neither.
 */
export type Dialect = 'v2' | 'v0' | 'v0-plain';

export interface Asked {
  /** Object ids, hex. */
  readonly wants: readonly string[];
  readonly haves?: readonly string[] | undefined;
  /** As in `--filter=`; v2 only. */
  readonly filter?: string | undefined;
}

/** Every ref wanted, nothing held: what a mirror clone asks. `filter` as in `--filter=`. */
export function cloneRequest(repository: string, filter?: string): Buffer {
  return formatRequest({ ...askedByClone(repository), filter }, 'v2');
}

/** The present tip of HEAD wanted, its ancestor `behind` first-parent commits back held. */
export function fetchRequest(repository: string, behind: number): Buffer | undefined {
  const asked = askedByFetch(repository, behind);
  return asked === undefined ? undefined : formatRequest(asked, 'v2');
}

export function askedByClone(repository: string): Asked {
  const lines = text(repository, 'for-each-ref', '--format=%(objectname)').split('\n');
  return { wants: [...new Set(lines)].filter((line) => line !== '') };
}

/** @returns `undefined` when the history is shorter than that */
export function askedByFetch(repository: string, behind: number): Asked | undefined {
  const tip = text(repository, 'rev-parse', 'HEAD');
  const held = text(repository, 'rev-list', '--first-parent', `--skip=${behind}`, '-n1', 'HEAD');
  return held === '' ? undefined : { wants: [tip], haves: [held] };
}

export function formatRequest(asked: Asked, dialect: Dialect): Buffer {
  const { wants, haves = [], filter } = asked;
  const wantLines = wants.map((id) => `want ${id}`);
  const haveLines = haves.map((id) => `have ${id}`);
  if (dialect === 'v2') {
    const head = ['command=fetch', 'object-format=sha1'];
    const options = [
      'thin-pack',
      'no-progress',
      'ofs-delta',
      ...(filter === undefined ? [] : [`filter ${filter}`]),
    ];
    const lines = [...options, ...wantLines, ...haveLines, 'done'];
    return Buffer.from([...head.map(packet), DELIMITER, ...lines.map(packet), FLUSH].join(''));
  }
  const capabilities =
    dialect === 'v0' ? 'side-band-64k thin-pack ofs-delta no-progress agent=bench' : 'ofs-delta agent=bench';
  const [first, ...others] = wantLines;
  return Buffer.from(
    [
      packet(`${first} ${capabilities}`),
      ...others.map(packet),
      FLUSH,
      ...haveLines.map(packet),
      packet('done'),
    ].join(''),
  );
}

function packet(line: string): string {
  return `${(line.length + 5).toString(16).padStart(4, '0')}${line}\n`;
}

function text(repository: string, ...args: readonly string[]): string {
  const result = spawnSync('git', ['-C', repository, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.trim();
}
