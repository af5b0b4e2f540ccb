/**
 * The requests that the serving benchmarks put to a server: protocol v2, as a client sends them.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';

const DELIMITER = '0001';
const FLUSH = '0000';

/** Every ref wanted, nothing held: what a mirror clone asks. `filter` as in `--filter=`. */
export function cloneRequest(repository: string, filter?: string): Buffer {
  const wants = uniqueTips(repository).map((id) => packet(`want ${id}\n`));
  return request([...(filter === undefined ? [] : [packet(`filter ${filter}\n`)]), ...wants]);
}

/** The present tip of HEAD wanted, its ancestor `behind` first-parent commits back held. */
export function fetchRequest(repository: string, behind: number): Buffer | undefined {
  const tip = text(repository, 'rev-parse', 'HEAD');
  const held = text(repository, 'rev-list', '--first-parent', `--skip=${behind}`, '-n1', 'HEAD');
  if (held === '') return undefined;
  return request([packet(`want ${tip}\n`), packet(`have ${held}\n`)]);
}

function request(lines: readonly string[]): Buffer {
  const head = [packet('command=fetch'), packet('object-format=sha1'), DELIMITER];
  const options = ['thin-pack', 'no-progress', 'ofs-delta'].map(packet);
  return Buffer.from([...head, ...options, ...lines, packet('done\n'), FLUSH].join(''));
}

function packet(line: string): string {
  return (line.length + 4).toString(16).padStart(4, '0') + line;
}

function uniqueTips(repository: string): string[] {
  const lines = text(repository, 'for-each-ref', '--format=%(objectname)').split('\n');
  return [...new Set(lines)].filter((line) => line !== '');
}

function text(repository: string, ...args: readonly string[]): string {
  const result = spawnSync('git', ['-C', repository, ...args], { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr}`);
  return result.stdout.trim();
}
