/**
 * Pushes at random, one after the other, into two copies of a repository: one served by git, one by packwire.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { openRepository } from '../../../src/repository/node/open-repository.ts';
import { GIT_ENVIRONMENT, git, gitBytes } from '../../support/git.ts';
import {
  type HandMadePush,
  type PushAnswer,
  pushByHand,
  pushRequest,
  readAnswer,
} from '../../support/push-client.ts';
import { anyHistory, buildHistory, type PlannedCommit } from '../../support/random-history.ts';
import { isGitAtLeast } from './installed-git.ts';

const COMMITS = 14;
/** Commits that the server has from the start. */
const SEED_COMMITS = 5;
const ZERO = '0'.repeat(40);
const MISSING = 'd'.repeat(40);

const NAMES = [
  ...['refs/heads/main', 'refs/heads/a', 'refs/heads/b', 'refs/heads/a/deep', 'refs/tags/t', 'refs/notes/n'],
  ...['refs/heads/main', 'refs/heads/a', 'refs/heads/b', 'refs/heads/c', 'refs/tags/u', 'refs/changes/1/1'],
  ...['refs/hidden/h', 'refs/heads/x.lock', 'refs/heads/../up', 'refs/one', 'heads/a'],
];

type New = readonly [kind: 'commit' | 'tag' | 'tree' | 'blob' | 'delete' | 'missing', n: number];

interface PlannedCommand {
  readonly name: string;
  /** What the client says the ref holds. */
  readonly old: 'right' | 'zero' | 'other' | 'missing';
  readonly other: number;
  readonly value: New;
}

interface PlannedPush {
  readonly commands: readonly PlannedCommand[];
  readonly capabilities: readonly string[];
  readonly report: string;
  readonly pushOptions: readonly string[];
  readonly thin: boolean;
  /** Also left out of the pack: a commit that the server may not have, or single objects. */
  readonly against: number | undefined;
  readonly leftOut: readonly number[];
  readonly damage: 'none' | 'none' | 'truncated' | 'flipped' | 'empty' | 'garbage';
  readonly shallow: readonly number[];
}

interface PlannedScene {
  readonly history: readonly PlannedCommit[];
  readonly settings: readonly string[];
  readonly pushes: readonly PlannedPush[];
}

const SETTINGS = [
  'receive.denyDeletes=true',
  'receive.denyNonFastForwards=true',
  'receive.denyDeleteCurrent=ignore',
  'receive.fsckObjects=true',
  'receive.shallowUpdate=true',
  'receive.unpackLimit=1',
  'core.logAllRefUpdates=true',
];

const anyNew = fc.tuple(
  fc.constantFrom(
    ...repeated('commit', 12),
    ...repeated('delete', 4),
    'tag',
    'tag',
    'tree',
    'blob',
    'missing',
  ),
  fc.nat(50),
) as fc.Arbitrary<New>;

const anyCommand: fc.Arbitrary<PlannedCommand> = fc.record({
  name: fc.constantFrom(...NAMES.slice(0, 12), ...NAMES.slice(0, 12), ...NAMES),
  old: fc.constantFrom(...repeated('right', 8), 'zero', 'other', 'missing') as fc.Arbitrary<
    PlannedCommand['old']
  >,
  other: fc.nat(COMMITS - 1),
  value: anyNew,
});

const anyPush: fc.Arbitrary<PlannedPush> = fc.record({
  commands: fc.uniqueArray(anyCommand, { minLength: 1, maxLength: 4, selector: ({ name }) => name }),
  capabilities: fc.subarray(['side-band-64k', 'atomic', 'ofs-delta', 'quiet', 'push-options'], {
    minLength: 0,
  }),
  report: fc.constantFrom('report-status', 'report-status-v2'),
  pushOptions: fc.array(fc.constantFrom('ci.skip', 'topic=a b', ''), { maxLength: 3 }),
  thin: fc.boolean(),
  against: fc.option(fc.nat(COMMITS - 1), { nil: undefined, freq: 1 }),
  leftOut: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.array(fc.nat(30), { maxLength: 2 })),
  damage: fc.constantFrom(
    ...repeated('none', 12),
    ...(['truncated', 'flipped', 'empty', 'garbage'] as const),
  ) as fc.Arbitrary<PlannedPush['damage']>,
  shallow: fc.oneof(
    { weight: 4, arbitrary: fc.constant([]) },
    fc.array(fc.nat(COMMITS - 1), { maxLength: 2 }),
  ),
});

function repeated<Value>(value: Value, times: number): Value[] {
  return Array.from({ length: times }, () => value);
}

function anyScene(pushes: number): fc.Arbitrary<PlannedScene> {
  return fc.record({
    history: anyHistory(COMMITS),
    settings: fc.subarray(SETTINGS, { maxLength: 3 }),
    pushes: fc.array(anyPush, { minLength: pushes, maxLength: pushes }),
  });
}

/**
 * As many pushes as asked for, some after each other into each of several repositories.
 *
 * @throws the property's report, with the seed, for the first that is taken in another way
 */
export async function comparePushes(runs: number, seed: number): Promise<void> {
  const pushes = 8;
  await fc.assert(fc.asyncProperty(fc.noShrink(anyScene(pushes)), playScene), {
    numRuns: Math.ceil(runs / pushes),
    seed,
  });
}

interface Scene {
  /** Where everything is. */
  readonly source: string;
  readonly theirs: string;
  readonly ours: string;
  readonly ids: Readonly<Record<'commit' | 'tag' | 'tree' | 'blob', readonly string[]>>;
}

async function playScene(plan: PlannedScene): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'packwire-pushes-'));
  try {
    const scene = makeScene(directory, plan);
    for (const push of plan.pushes) await compareOne(scene, push, plan.settings);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function makeScene(directory: string, plan: PlannedScene): Scene {
  const [source, theirs, ours] = ['source', 'theirs', 'ours'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  mkdirSync(source);
  const { commits, tags } = buildHistory(source, plan.history);
  git(directory, 'init', '-q', '--bare', '-b', 'main', theirs);
  for (const [name, n] of [
    ['refs/heads/main', SEED_COMMITS - 1],
    ['refs/heads/a', SEED_COMMITS - 2],
    ['refs/tags/t', 0],
    ['refs/hidden/h', 1],
  ] as const) {
    git(theirs, 'fetch', '-q', source, `refs/heads/c${n}:${name}`);
  }
  const always = ['advertisePushOptions=true', 'autogc=false'].map((setting) => `receive.${setting}`);
  for (const setting of [...plan.settings, ...always, 'receive.hideRefs=refs/hidden']) {
    const [name = '', value = ''] = setting.split('=');
    git(theirs, 'config', name, value);
  }
  cpSync(theirs, ours, { recursive: true });
  const all = git(source, 'cat-file', '--batch-all-objects', '--batch-check=%(objecttype) %(objectname)');
  const idsOf = (kind: string): string[] =>
    linesOf(all)
      .filter((line) => line.startsWith(`${kind} `))
      .map((line) => line.slice(kind.length + 1));
  return {
    source,
    theirs,
    ours,
    ids: {
      commit: commits,
      tag: tags.length > 0 ? tags : commits,
      tree: idsOf('tree'),
      blob: idsOf('blob').length > 0 ? idsOf('blob') : commits,
    },
  };
}

async function compareOne(scene: Scene, plan: PlannedPush, settings: readonly string[]): Promise<void> {
  const { push, isBlindDeletion } = handMade(scene, plan);
  const request = pushRequest(push);
  const theirs = askGit(scene.theirs, request, plan.capabilities.includes('side-band-64k'));
  const failures: unknown[] = [];
  const ours = await pushToPackwire(scene.ours, push, failures);
  const { commands, shallow } = push;
  const context = { settings, plan, commands, shallow, failures: failures.map(String) };
  const explain = (what: string): string =>
    `${what}\n${JSON.stringify({ ...context, theirs, ours }, undefined, 1)}`;

  if (theirs === undefined || (theirs.fatal !== '' && plan.shallow.length > 0)) {
    assert.ok(
      ours.report.every((line) => !line.startsWith('ok ')),
      explain('nothing of it can be taken'),
    );
    goOnFromGit(scene);
    return;
  }
  assert.equal(ours.fatal !== '', theirs.fatal !== '', explain('only one could judge it'));
  const isChecked =
    settings.includes('receive.fsckObjects=true') && (plan.leftOut.length > 0 || plan.against !== undefined);
  const verdict = compareReports(plan, ours.report, theirs.report, { isBlindDeletion, isChecked });
  assert.notEqual(verdict, 'different', explain('other reports'));
  const roots = [scene.ours, scene.theirs].map(rootsOf) as [string[], string[]];
  const hasKnownRoots = roots[0].length < roots[1].length && roots[0].every((id) => roots[1].includes(id));
  if (verdict === 'known' || hasKnownRoots) {
    goOnFromGit(scene);
    return;
  }
  assert.deepEqual(roots[0], roots[1], explain('history ends elsewhere'));
  assert.deepEqual(refsOf(scene.ours), refsOf(scene.theirs), explain('other refs'));
  compareObjects(scene, explain);
}

function goOnFromGit({ ours, theirs }: Scene): void {
  rmSync(ours, { recursive: true });
  cpSync(theirs, ours, { recursive: true });
}

async function pushToPackwire(
  directory: string,
  push: HandMadePush,
  failures: unknown[],
): Promise<PushAnswer> {
  await using repository = await openRepository(directory, { hooks: 'none' });
  return await pushByHand(repository, push, { onFailure: (error) => failures.push(error) });
}

interface ReportContext {
  readonly isBlindDeletion: readonly boolean[];
  /** Objects are checked as they come in, and some may be missing. */
  readonly isChecked: boolean;
}

type Verdict = 'alike' | 'known' | 'different';

/** @returns `known` for what is done in another way for a reason that COMPATIBILITY.md names */
function compareReports(
  plan: PlannedPush,
  ours: readonly string[],
  theirs: readonly string[],
  { isBlindDeletion, isChecked }: ReportContext,
): Verdict {
  if (ours.length !== theirs.length) return 'different';
  const [ourUnpack = '', ...ourLines] = ours;
  const [theirUnpack = '', ...theirLines] = theirs;
  if ((ourUnpack === 'unpack ok') !== (theirUnpack === 'unpack ok')) {
    // Refused before its pack was read, or before what its objects refer to was looked for, from the new tips on.
    const isUnread =
      ourLines.some((line) => HIDDEN.test(line)) && !ourLines.some((line) => line.startsWith('ok '));
    return ourUnpack === 'unpack ok' && (isUnread || isChecked) ? 'known' : 'different';
  }
  const isAtomic = plan.capabilities.includes('atomic');
  const isKnown = ourLines.map(
    (line, n) => isBlindDeletion[n] === true || EARLY.test(line) || SHALLOW.test(theirLines[n] ?? ''),
  );
  let verdict: Verdict = 'alike';
  for (const [n, line] of ourLines.entries()) {
    const theirLine = theirLines[n] ?? '';
    if (isSameStatus(line, theirLine)) continue;
    // Names are looked at first here. One early failure fails an atomic push.
    const bothRefuse = line.startsWith('ng ') && theirLine.startsWith('ng ');
    if (bothRefuse && (BAD_NAMES.test(line) || (isAtomic && isKnown.includes(true)))) continue;
    const isExplained = isAtomic
      ? isKnown.includes(true)
      : isBlindDeletion[n] === true || SHALLOW.test(theirLine);
    if (!isExplained) return 'different';
    verdict = 'known';
  }
  return verdict;
}

/** git asks for permission even where all that the client lacks is here. */
const SHALLOW = /^ng \S+ shallow update not allowed$/;
const HIDDEN = /^ng \S+ deny (?:updating|deleting) a hidden ref$/;
const BAD_NAMES = /^ng \S+ (?:funny refname|deny (?:updating|deleting) a hidden ref)$/;
const EARLY =
  /^ng \S+ (?:funny refname|deny (?:updating|deleting) a hidden ref|missing necessary objects|shallow update not allowed)$/;

/** Objects that nothing refers to may be left by one and not by the other: then they are removed, and must be gone. */
function compareObjects(scene: Scene, explain: (what: string) => string): void {
  const [ours, theirs] = [scene.ours, scene.theirs].map(objectsOf);
  if (ours === theirs) return;
  for (const directory of [scene.ours, scene.theirs]) {
    git(directory, 'repack', '-adq');
    git(directory, 'prune', '--expire=now');
  }
  assert.deepEqual(objectsOf(scene.ours), objectsOf(scene.theirs), explain('other objects'));
}

function objectsOf(directory: string): string {
  return git(directory, 'cat-file', '--batch-all-objects', '--batch-check');
}

function refsOf(directory: string): readonly string[] {
  return [
    ...linesOf(git(directory, 'for-each-ref', '--format=%(objectname) %(refname)')),
    readFileSync(join(directory, 'HEAD'), 'utf8'),
  ];
}

/** Where history ends. git takes the end of the client's even where what lies behind is here; packwire does not. */
function rootsOf(directory: string): string[] {
  const path = join(directory, 'shallow');
  return existsSync(path) ? linesOf(readFileSync(path, 'utf8')).sort() : [];
}

function isSameStatus(ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  const [, name = ''] = /^ng (\S+) /.exec(ours) ?? [];
  if (SAYS_WHY || name === '') return false;
  // What is found while refs are locked was once found when they were written.
  if (theirs === `ng ${name} atomic transaction failed`) return true;
  return theirs === `ng ${name} failed to update ref` && NEWER_REASONS.test(ours);
}

/** Gits of before 2.50 do not say why a ref could not be updated. */
const SAYS_WHY = isGitAtLeast(2, 51);
const NEWER_REASONS =
  /^ng \S+ (?:refname conflict|reference already exists|reference does not exist|incorrect old value provided|invalid new value provided)$/;

interface PreparedPush {
  readonly push: HandMadePush;
  /** Of each command: a deletion of a ref that does not hold what the client says. git deletes some of these. */
  readonly isBlindDeletion: readonly boolean[];
}

function handMade(scene: Scene, plan: PlannedPush): PreparedPush {
  const { source, ids } = scene;
  const held = new Map(
    linesOf(git(scene.theirs, 'for-each-ref', '--format=%(refname) %(objectname)')).map(
      (line) => line.split(' ') as [string, string],
    ),
  );
  const idOf = ([kind, n]: New): string => {
    if (kind === 'delete') return ZERO;
    if (kind === 'missing') return MISSING;
    return ids[kind][n % ids[kind].length] as string;
  };
  const commands = plan.commands.map(({ name, old, other, value }) => {
    const said = {
      right: held.get(name) ?? ZERO,
      zero: ZERO,
      other: ids.commit[other] as string,
      missing: MISSING,
    };
    return `${said[old]} ${idOf(value)} ${name}`;
  });
  const tips = plan.commands.map(({ value }) => idOf(value)).filter((id) => id !== ZERO && id !== MISSING);
  const shallow = plan.shallow.map((n) => ids.commit[n] as string);
  const against = plan.against === undefined ? undefined : ids.commit[plan.against];
  const { capabilities } = plan;
  const hasPack = plan.commands.some(({ value: [kind] }) => kind !== 'delete');
  const said = [...capabilities, plan.report, 'object-format=sha1', 'agent=x'].join(' ');
  const isBlindDeletion = plan.commands.map(
    ({ value: [kind], old, name }) => kind === 'delete' && (old !== 'right' || !held.has(name)),
  );
  const push = {
    commands,
    capabilities: said,
    shallow,
    pushOptions: capabilities.includes('push-options') ? plan.pushOptions : undefined,
    pack: hasPack
      ? damaged(packOf(source, tips, [...held.values()], shallow, against, plan), plan.damage)
      : undefined,
  };
  return { push, isBlindDeletion };
}

function packOf(
  source: string,
  tips: readonly string[],
  held: readonly string[],
  shallow: readonly string[],
  against: string | undefined,
  { thin, leftOut, capabilities }: PlannedPush,
): Uint8Array {
  const flags = [
    ...(thin ? ['--thin'] : []),
    ...(capabilities.includes('ofs-delta') ? ['--delta-base-offset'] : []),
  ];
  const there = against === undefined ? held : [...held, against];
  const revisions = [...tips, ...there.map((id) => `^${id}`)];
  if (leftOut.length === 0) {
    const cut = shallow.map((id) => `--shallow ${id}`);
    const input = `${[...cut, ...revisions].join('\n')}\n`;
    return new Uint8Array(
      gitBytes({ cwd: source, input }, 'pack-objects', '--revs', '--stdout', '-q', ...flags),
    );
  }
  const input = revisions.join('\n');
  const listed = linesOf(git({ cwd: source, input }, 'rev-list', '--objects', '--stdin')).map((line) =>
    line.slice(0, 40),
  );
  const gone = new Set(leftOut.map((n) => listed[n % Math.max(1, listed.length)]));
  const rest = listed.filter((id) => !gone.has(id)).join('\n');
  return new Uint8Array(gitBytes({ cwd: source, input: rest }, 'pack-objects', '--stdout', '-q'));
}

function damaged(pack: Uint8Array, damage: PlannedPush['damage']): Uint8Array {
  switch (damage) {
    case 'truncated':
      return pack.slice(0, pack.length - 7);
    case 'flipped': {
      const copy = pack.slice();
      copy[pack.length >> 1] = (copy[pack.length >> 1] as number) ^ 0x55;
      return copy;
    }
    case 'empty':
      return new Uint8Array(0);
    case 'garbage':
      return new TextEncoder().encode('this is no pack at all, whatever its length may be');
    default:
      return pack;
  }
}

/** @returns `undefined` when it crashed: gits do, or die, when history is missing to a push with shallow lines */
function askGit(directory: string, input: Uint8Array, banded: boolean): PushAnswer | undefined {
  const result = spawnSync('git', ['receive-pack', '--stateless-rpc', directory], {
    input,
    env: GIT_ENVIRONMENT,
    maxBuffer: 1 << 28,
  });
  if (result.signal !== null) return undefined;
  const answer = readAnswer(new Uint8Array(result.stdout), banded);
  return { ...answer, fatal: result.status === 0 ? answer.fatal : result.stderr.toString() };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
