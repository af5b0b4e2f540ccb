/**
 * Pushes as git's client sends them, made beforehand by git itself.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { join } from 'node:path';

export interface PreparedPush {
  readonly ref: string;
  readonly newId: string;
  /** The body before its pack: commands and the flush packet. */
  readonly commands: Buffer;
  /** In memory, or in a file when it is large. */
  readonly pack: Uint8Array | { readonly path: string };
}

const CAPABILITIES = ' report-status-v2 side-band-64k quiet object-format=sha1 agent=git/2.39.5';
const ZERO_ID = '0'.repeat(40);
const REF = 'refs/heads/packwire-bench';

/**
 * `count` pushes, each of one commit that changes one file at the top: a commit, a tree and a blob, as a thin pack.
 *
 * @param scratch where the repository that makes them is put; it borrows the objects of `repository`
 */
export function recordPushes(repository: string, scratch: string, count: number): PreparedPush[] {
  const workshop = join(scratch, 'workshop.git');
  git(scratch, ['clone', '-q', '--bare', '--shared', repository, workshop]);
  git(
    workshop,
    ['fast-import', '--quiet'],
    commits(count, git(workshop, ['rev-parse', 'HEAD']).toString().trim()),
  );
  const start = git(workshop, ['rev-parse', 'HEAD']).toString().trim();
  const ids = git(workshop, ['rev-list', '--reverse', REF, `^${start}`])
    .toString()
    .trim()
    .split('\n');
  return ids.map((newId, number) => {
    const base = ids[number - 1] ?? start;
    const oldId = ids[number - 1] ?? ZERO_ID;
    const pack = git(
      workshop,
      ['pack-objects', '--thin', '--revs', '--stdout', '--delta-base-offset', '-q'],
      `${newId}\n^${base}\n`,
    );
    return { ref: REF, newId, commands: commandsOf([[oldId, newId, REF]]), pack };
  });
}

function commits(count: number, start: string): string {
  const lines: string[] = [];
  for (let number = 0; number < count; number++) {
    const content = Array.from(
      { length: 40 },
      (_, line) => `line ${line} of push ${line % 7 === 0 ? number : 0}\n`,
    ).join('');
    lines.push(
      `commit ${REF}\ncommitter Bench <bench@example.com> ${1_700_000_000 + number} +0000\n` +
        `data <<EOT\nPush number ${number}\nEOT\n${number === 0 ? `from ${start}\n` : ''}` +
        `M 100644 inline packwire-bench.txt\ndata ${content.length}\n${content}\n`,
    );
  }
  return lines.join('');
}

/** One push of all branches and tags. */
export function pushEverything(repository: string, scratch: string): PreparedPush {
  const path = join(scratch, 'all.pack');
  const refs = git(repository, [
    'for-each-ref',
    '--format=%(objectname) %(refname)',
    'refs/heads',
    'refs/tags',
  ])
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.split(' ') as [string, string]);
  const result = spawnSync(
    'git',
    ['-C', repository, 'pack-objects', '--revs', '--stdout', '--delta-base-offset', '-q'],
    { input: refs.map(([id]) => `${id}\n`).join(''), stdio: ['pipe', openSync(path, 'w'), 'inherit'] },
  );
  if (result.status !== 0) throw new Error('git pack-objects failed');
  const [newId, ref] = refs.at(-1) as [string, string];
  return { ref, newId, commands: commandsOf(refs.map(([id, name]) => [ZERO_ID, id, name])), pack: { path } };
}

function commandsOf(commands: readonly (readonly [oldId: string, newId: string, ref: string])[]): Buffer {
  const packets = commands.map(([oldId, newId, ref], number) =>
    packet(`${oldId} ${newId} ${ref}${number === 0 ? `\0${CAPABILITIES}` : ''}`),
  );
  return Buffer.concat([...packets, Buffer.from('0000')]);
}

function packet(text: string): Buffer {
  return Buffer.from((text.length + 4).toString(16).padStart(4, '0') + text);
}

function git(cwd: string, args: readonly string[], input = ''): Buffer {
  const result = spawnSync('git', args, { cwd, input, maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr.toString()}`);
  return result.stdout;
}
