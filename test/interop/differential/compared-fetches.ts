/**
 * Fetches at random, asked of git and of packwire at one repository.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { DEFAULT_LIMITS } from '../../../src/core/limits.ts';
import { bytesToHex } from '../../../src/core/object-id.ts';
import type { ObjectReader } from '../../../src/odb/object-database.ts';
import { createMemoryPackSink } from '../../../src/pack/pack-sink.ts';
import type { ProtocolVersion } from '../../../src/protocol/service.ts';
import { uploadPack } from '../../../src/protocol/upload-pack.ts';
import { type FilesRepository, openRepository } from '../../../src/repository/node/open-repository.ts';
import { GIT_ENVIRONMENT, git } from '../../support/git.ts';
import { ingest } from '../../support/ingest.ts';
import { packLines } from '../../support/packets.ts';
import { anyHistory, buildHistory, type PlannedCommit } from '../../support/random-history.ts';
import { readAnswer } from '../../support/served-repository.ts';
import { chunked, drain } from '../../support/streams.ts';
import { isGitAtLeast } from './installed-git.ts';

const COMMITS = 14;
const MISSING = 'd'.repeat(40);
const START = 1_600_000_000;

type Wish = readonly [kind: 'tip' | 'commit' | 'tag' | 'blob' | 'hidden' | 'stray' | 'missing', n: number];

interface PlannedFetch {
  readonly version: ProtocolVersion;
  readonly stateful: boolean;
  readonly wants: readonly Wish[];
  readonly wantRefs: readonly number[];
  /** In turns, with a flush after each. */
  readonly haves: readonly (readonly Wish[])[];
  readonly done: boolean;
  readonly shallow: readonly number[];
  readonly depth: readonly string[];
  readonly filter: string | undefined;
  readonly capabilities: readonly string[];
}

interface PlannedScene {
  readonly history: readonly PlannedCommit[];
  readonly repacked: boolean;
  readonly settings: readonly string[];
  readonly fetches: readonly PlannedFetch[];
  readonly lists: readonly (readonly string[])[];
}

const SETTINGS = [
  'uploadpack.allowTipSHA1InWant=true',
  'uploadpack.allowReachableSHA1InWant=true',
  'uploadpack.allowAnySHA1InWant=true',
];
const CAPABILITIES = ['thin-pack', 'no-progress', 'include-tag', 'ofs-delta', 'no-done', 'deepen-relative'];
const FILTERS = [
  'blob:none',
  'blob:limit=7',
  'blob:limit=1k',
  'tree:0',
  'tree:1',
  'tree:2',
  'object:type=commit',
  'object:type=tag',
  'combine:blob:none+tree:2',
  'blob:nonsense',
];

const anyWish = fc.tuple(
  fc.constantFrom('tip', 'tip', 'tip', 'commit', 'tag', 'blob', 'hidden', 'stray', 'missing'),
  fc.nat(30),
) as fc.Arbitrary<Wish>;
const likelyWish = fc.tuple(fc.constantFrom('tip', 'tip', 'tip', 'tag'), fc.nat(30)) as fc.Arbitrary<Wish>;
const anyHave = fc.tuple(
  fc.constantFrom('commit', 'commit', 'commit', 'tag', 'stray', 'missing', 'blob'),
  fc.nat(30),
) as fc.Arbitrary<Wish>;

const anyDepth = fc.oneof(
  { weight: 4, arbitrary: fc.constant([]) },
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 5 }).map((n) => [`deepen ${n}`]) },
  { weight: 1, arbitrary: fc.constant(['deepen 2147483647']) },
  { weight: 1, arbitrary: fc.nat(COMMITS).map((n) => [`deepen-since ${START + 60 * n}`]) },
  { weight: 1, arbitrary: fc.nat(COMMITS).map((n) => [`deepen-not refs/heads/c${n}`]) },
  { weight: 1, arbitrary: fc.constantFrom(['deepen 0'], ['deepen -1'], ['deepen 1', 'deepen-since 5']) },
);

const anyFetch: fc.Arbitrary<PlannedFetch> = fc.record({
  version: fc.constantFrom(0, 1, 2) as fc.Arbitrary<ProtocolVersion>,
  stateful: fc.boolean(),
  wants: fc.oneof(
    { weight: 3, arbitrary: fc.array(likelyWish, { minLength: 1, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(anyWish, { maxLength: 3 }) },
  ),
  wantRefs: fc.array(fc.nat(COMMITS), { maxLength: 1 }),
  haves: fc.array(fc.array(anyHave, { maxLength: 4 }), { maxLength: 3 }),
  done: fc.boolean(),
  shallow: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(fc.nat(COMMITS), { maxLength: 2 })),
  depth: anyDepth,
  filter: fc.option(fc.constantFrom(...FILTERS), { nil: undefined, freq: 1 }),
  capabilities: fc.subarray(CAPABILITIES),
});

const anyList = fc.subarray(
  [
    'peel',
    'symrefs',
    'unborn',
    'ref-prefix refs/heads/',
    'ref-prefix refs/tags/',
    'ref-prefix HEAD',
    'ref-prefix refs/hid',
  ],
  { minLength: 0 },
);

function anyScene(fetches: number): fc.Arbitrary<PlannedScene> {
  return fc.record({
    history: anyHistory(COMMITS),
    repacked: fc.boolean(),
    settings: fc.subarray(SETTINGS),
    fetches: fc.array(anyFetch, { minLength: fetches, maxLength: fetches }),
    lists: fc.array(anyList, { minLength: 1, maxLength: 2 }),
  });
}

/**
 * As many fetches as asked for, some at each of several repositories.
 *
 * @throws the property's report, with the seed, for the first that is answered in another way
 */
export async function compareFetches(runs: number, seed: number): Promise<void> {
  const fetches = 8;
  await fc.assert(fc.asyncProperty(fc.noShrink(anyScene(fetches)), playScene), {
    numRuns: Math.ceil(runs / fetches),
    seed,
  });
}

async function playScene(plan: PlannedScene): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'packwire-differential-'));
  try {
    const scene = await makeScene(directory, plan);
    await using repository = scene.repository;
    const reader = await repository.objects.openReader();
    try {
      for (const fetch of plan.fetches) await compareOne(scene, reader, fetch);
      for (const list of plan.lists) await compareList(scene, list);
    } finally {
      reader.release();
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

interface Scene {
  readonly directory: string;
  readonly repository: FilesRepository;
  readonly objects: Readonly<Record<Wish[0], readonly string[]>>;
  /** All that can be reached from refs that are shown. */
  readonly reachable: ReadonlySet<string>;
  readonly allowsAny: boolean;
}

async function makeScene(directory: string, plan: PlannedScene): Promise<Scene> {
  const { commits, tags } = buildHistory(directory, plan.history);
  const run = (...args: readonly string[]): string => git(directory, ...args);
  const tree = run('rev-parse', `${commits[3]}^{tree}`).trim();
  const hidden = run('commit-tree', tree, '-p', commits[2] as string, '-m', 'hidden').trim();
  const stray = run('commit-tree', tree, '-p', commits[1] as string, '-m', 'stray').trim();
  run('update-ref', 'refs/hidden/one', hidden);
  const gone = commits.flatMap((_, n) => (n % 3 === 2 ? [] : [`delete refs/heads/c${n}\n`]));
  git({ cwd: directory, input: gone.join('') }, 'update-ref', '--stdin');
  run('symbolic-ref', 'HEAD', 'refs/heads/c2');
  if (plan.repacked) {
    run('repack', '-adkq', '--write-bitmap-index');
    run('commit-graph', 'write', '--reachable');
    run('pack-refs', '--all');
  }
  const always = ['allowFilter=true', 'allowRefInWant=true'].map((setting) => `uploadpack.${setting}`);
  for (const setting of [...plan.settings, ...always, 'transfer.hideRefs=refs/hidden']) {
    const [name = '', value = ''] = setting.split('=');
    run('config', name, value);
  }
  const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
  const shown = lines(run('for-each-ref', '--format=%(objectname)', 'refs/heads', 'refs/tags'));
  const reached = git({ cwd: directory, input: shown.join('\n') }, 'rev-list', '--objects', '--stdin');
  const blobs = lines(run('cat-file', '--batch-all-objects', '--batch-check=%(objecttype) %(objectname)'))
    .filter((line) => line.startsWith('blob '))
    .map((line) => line.slice(5));
  return {
    directory,
    repository: await openRepository(directory),
    objects: {
      tip: shown,
      commit: commits,
      tag: tags.length > 0 ? tags : shown,
      blob: blobs.length > 0 ? blobs : shown,
      hidden: [hidden],
      stray: [stray],
      missing: [MISSING],
    },
    reachable: new Set([...shown, ...lines(reached).map((line) => line.slice(0, 40))]),
    allowsAny: plan.settings.includes('uploadpack.allowAnySHA1InWant=true'),
  };
}

async function compareOne(scene: Scene, reader: ObjectReader, plan: PlannedFetch): Promise<void> {
  const idOf = ([kind, n]: Wish): string => {
    const ids = scene.objects[kind];
    return ids[n % ids.length] as string;
  };
  const wants = [...new Set(plan.wants.map(idOf))];
  if (plan.capabilities.includes('deepen-relative') && plan.shallow.length > 0 && !COUNTS_FROM_NEAREST)
    return;
  const haves = plan.haves.map((turn) => turn.map(idOf));
  const shallow = plan.shallow.map((n) => scene.objects.commit[n % COMMITS] as string);
  const lines =
    plan.version === 2 ? linesOfV2(plan, wants, haves, shallow) : linesOfV0(plan, wants, haves, shallow);
  const mode = plan.stateful ? 'stateful' : 'stateless';
  const request = packLines(lines);
  const theirs = askGit(scene.directory, plan.version, mode, request);
  const failures: unknown[] = [];
  const ours = await drain(
    uploadPack(scene.repository, chunked(request), {
      mode,
      protocolVersion: plan.version,
      limits: DEFAULT_LIMITS,
      defaults: 'git',
      onFailure: (error) => failures.push(error),
    }),
  );
  const context = { setup: scene.directory, lines };
  const expected = await answerOf(theirs.wire, reader);
  const actual = await answerOf(ours, reader);

  if (plan.version === 2 && refusesWhatGitServes(scene, wants, actual, expected)) return;
  if (theirs.failed && expected.error === undefined) {
    // git died without a word to its client. packwire says why; as late as in the round that would bring the pack.
    const isAnswered = wants.length > 0 && (plan.done || actual.lines.at(-1) !== '0000');
    const isEarlier = plan.version === 2 && !isAnswered;
    assert.ok(
      isEarlier || actual.error !== undefined,
      explain('git refuses this', context, expected, actual),
    );
    return;
  }
  if (isReadyAtAnotherTime(plan, actual, expected)) return;
  const told = withoutHiddenRoots(plan, expected, actual.lines);
  const promised = [withoutKnownAcks(plan, actual.lines, told), told].map((lines) =>
    promisedLines(plan, lines),
  );
  assert.deepEqual(promised[0], promised[1], explain('other lines', context, expected, actual));
  const classes = [classOf(actual.error), classOf(expected.error)];
  const isFaultyTwice = plan.depth.some((line) => INVALID_DEPTHS.includes(line)) && wants.includes(MISSING);
  if (isFaultyTwice && classes.every((name) => name === 'want' || name === 'depth')) return;
  assert.equal(classes[0], classes[1], explain('another error', context, expected, actual));
  const sent = new Set(actual.ids);
  const missing = (expected.ids ?? []).filter((id) => !sent.has(id));
  const held = missing.length === 0 ? missing : heldBy(scene, haves.flat(), shallow);
  const needed = missing.filter((id) => !held.includes(id));
  assert.deepEqual(needed, [], explain('objects are missing', context, expected, actual));
  const asked = new Set(expected.ids);
  const extra = [...sent].filter((id) => !asked.has(id));
  assert.deepEqual(extra, [], explain('objects that git does not send', context, expected, actual));
}

const INVALID_DEPTHS = ['deepen 0', 'deepen -1'];

/**
 * With `deepen-since` and `deepen-not` git names each commit of the chosen history that has a parent outside of it, also those
 * that only others of them lead to: the client does not get these, and they must not be in the pack.
 */
function withoutHiddenRoots({ depth }: PlannedFetch, theirs: Told, ours: readonly string[]): string[] {
  const isChosen = depth.some((line) => /^deepen-(?:since|not) /.test(line));
  const isHidden = (line: string): boolean =>
    line.startsWith('shallow ') && !ours.includes(line) && theirs.ids?.includes(line.slice(8)) !== true;
  return theirs.lines.filter((line) => !isChosen || !isHidden(line));
}

/** Gits of before 2.54 count on from each of the client's shallow commits, and from other places than the client does. */
const COUNTS_FROM_NEAREST = isGitAtLeast(2, 54);

/**
 * Lines without what may differ: gits of before 2.52 acknowledge in v2 a `have` that comes twice a second time; git tells
 * twice of a cut that two wanted tags lead to; and in v0, where nothing hangs on it, the two find at different haves that
 * they know enough: said as `ready`, or by acknowledging what nobody has. Without multi_ack the first acknowledgment is
 * what counts, and how many follow hangs on which of the haves git knows to be parents of others: not across a cut.
 */
function promisedLines(plan: PlannedFetch, lines: readonly string[]): string[] {
  const { version } = plan;
  const once = version === 2 ? /^(?:ACK|shallow|unshallow) / : /^(?:shallow|unshallow) /;
  const firstAck = lines.findIndex((line) => line.startsWith('ACK '));
  const isOneAck = version !== 2 && acksOf(plan).length === 0 && plan.depth.length + plan.shallow.length > 0;
  return lines
    .filter((line, i) => !once.test(line) || lines.indexOf(line) === i)
    .filter((line, i) => !isOneAck || !line.startsWith('ACK ') || i <= firstAck)
    .filter((line) => version === 2 || !isReadiness(line));
}

/** Of haves that are parents of others gits of 2.52 and later say nothing in v2. */
function withoutKnownAcks(
  { version }: PlannedFetch,
  ours: readonly string[],
  theirs: readonly string[],
): string[] {
  const isSilent = version === 2 && isGitAtLeast(2, 52) && theirs.includes('acknowledgments');
  return ours.filter((line) => !isSilent || !line.startsWith('ACK ') || theirs.includes(line));
}

/** How many acknowledgments a client of v0 takes. */
function acksOf({ capabilities }: PlannedFetch): readonly string[] {
  return [['multi_ack_detailed'], ['multi_ack'], []][capabilities.length % 3] as string[];
}

function isReadiness(line: string): boolean {
  return /^(?:ACK .* )?ready$/.test(line) || line.startsWith(`ACK ${MISSING}`);
}

/** git looks for what is enough in the history as the client's depth cuts it, packwire in all of it: it may stop sooner. */
function isReadyAtAnotherTime(plan: PlannedFetch, ...told: readonly Told[]): boolean {
  if (plan.version !== 2 && !plan.capabilities.includes('no-done')) return false;
  if (plan.depth.length === 0 && plan.shallow.length === 0) return false;
  const [ours, theirs] = told.map(({ lines }) => lines.some(isReadiness));
  return ours !== theirs;
}

/** What a client holds that says it has these, and is cut off there: git sends some of it again when it deepens. */
function heldBy(
  { directory, reachable }: Scene,
  haves: readonly string[],
  shallow: readonly string[],
): string[] {
  const path = join(directory, 'shallow-of-client');
  writeFileSync(path, shallow.map((id) => `${id}\n`).join(''));
  const input = [...haves, ...shallow].filter((id) => id !== MISSING).join('\n');
  const listed = git({ cwd: directory, input }, '--shallow-file', path, 'rev-list', '--objects', '--stdin');
  return listed
    .split('\n')
    .map((line) => line.slice(0, 40))
    .filter((id) => reachable.has(id));
}

/** git's v2 serves whatever exists; packwire serves what can be reached from refs that are shown, unless told otherwise. */
function refusesWhatGitServes(scene: Scene, wants: readonly string[], actual: Told, expected: Told): boolean {
  if (scene.allowsAny || wants.every((id) => scene.reachable.has(id))) return false;
  if (classOf(actual.error) !== 'want') return false;
  assert.ok(expected.error === undefined || classOf(expected.error) === 'want');
  return true;
}

function linesOfV0(
  plan: PlannedFetch,
  wants: readonly string[],
  haves: readonly (readonly string[])[],
  shallow: readonly string[],
): string[] {
  if (wants.length === 0) return ['0000'];
  const capabilities = [...acksOf(plan), 'side-band-64k', ...plan.capabilities, 'filter', 'agent=x'].join(
    ' ',
  );
  const lines = [
    ...wants.map((id, i) => (i === 0 ? `want ${id} ${capabilities}` : `want ${id}`)),
    ...shallow.map((id) => `shallow ${id}`),
    ...plan.depth,
    ...(plan.filter === undefined ? [] : [`filter ${plan.filter}`]),
    '0000',
  ];
  for (const turn of haves) if (turn.length > 0) lines.push(...turn.map((id) => `have ${id}`), '0000');
  if (plan.done || plan.stateful || haves.flat().length === 0) lines.push('done');
  return lines;
}

function linesOfV2(
  plan: PlannedFetch,
  wants: readonly string[],
  haves: readonly (readonly string[])[],
  shallow: readonly string[],
): string[] {
  const relative = plan.capabilities.includes('deepen-relative');
  const flags = plan.capabilities.filter((name) => !/no-done|deepen-relative/.test(name));
  return [
    'command=fetch',
    'agent=x',
    'object-format=sha1',
    '0001',
    ...flags,
    ...wants.map((id) => `want ${id}`),
    ...(plan.depth.length === 0 ? plan.wantRefs.map((n) => `want-ref refs/heads/c${n}`) : []), // git puts these sections in an order its client cannot read
    ...haves.flat().map((id) => `have ${id}`),
    ...shallow.map((id) => `shallow ${id}`),
    ...plan.depth,
    ...(relative ? ['deepen-relative'] : []),
    ...(plan.filter === undefined ? [] : [`filter ${plan.filter}`]),
    ...(plan.done ? ['done'] : []),
    '0000',
    ...(plan.stateful ? ['0000'] : []),
  ];
}

async function compareList({ directory, repository }: Scene, args: readonly string[]): Promise<void> {
  const request = packLines(['command=ls-refs', 'object-format=sha1', '0001', ...args, '0000']);
  const ours = uploadPack(repository, chunked(request), {
    mode: 'stateless',
    protocolVersion: 2,
    limits: DEFAULT_LIMITS,
    defaults: 'git',
  });
  const expected = readAnswer(askGit(directory, 2, 'stateless', request).wire).lines;
  assert.deepEqual(readAnswer(await drain(ours)).lines, expected, `ls-refs ${args.join(', ')}`);
}

interface Told {
  /** All but pack and progress; what `ERR` says is left out. Lines about shallow commits are sorted. */
  readonly lines: readonly string[];
  readonly error: string | undefined;
  /** Of the objects in the pack, sorted; `undefined` without one. */
  readonly ids: readonly string[] | undefined;
}

async function answerOf(wire: Uint8Array, reader: ObjectReader): Promise<Told> {
  const { lines, pack } = readAnswer(wire);
  const error = lines.find((line) => line.startsWith('ERR ') || line.startsWith('3:'));
  // Gits of before 2.40 offer object-info whatever their configuration says.
  const shown = lines.filter((line) => line !== error && !/agent=|^object-info/.test(line));
  return {
    lines: sortedBoundaries(shown),
    error,
    ids: pack.length === 0 ? undefined : await idsIn(pack, reader),
  };
}

/** Lines `shallow` and `unshallow` come in no order that is promised. */
function sortedBoundaries(lines: readonly string[]): string[] {
  const isBoundary = (line: string): boolean => /^(?:un)?shallow /.test(line);
  const sorted = lines.filter(isBoundary).sort();
  let next = 0;
  return lines.map((line) => (isBoundary(line) ? (sorted[next++] as string) : line));
}

/** What the pack itself brings: bases that complete a thin one are left out. */
async function idsIn(pack: Uint8Array, reader: ObjectReader): Promise<string[]> {
  const indexed = await ingest(chunked(pack), {
    sink: createMemoryPackSink(),
    thinBases: { read: (ids, at) => reader.readRaw(ids, at) },
  });
  const { columns, idBytes } = { columns: indexed.table.columns, idBytes: 20 };
  const brought = indexed.objectCount - indexed.completedCount;
  return Array.from({ length: brought }, (_, n) => bytesToHex(columns.ids, n * idBytes, idBytes)).sort();
}

/** What an error is about, whatever its words. */
export function classOf(error: string | undefined): string | undefined {
  if (error === undefined) return undefined;
  if (/not our ref|unknown ref/.test(error)) return 'want';
  if (/filter/.test(error)) return 'filter';
  if (/deepen|shallow/.test(error)) return 'depth';
  return 'other';
}

function explain(what: string, context: object, expected: Told, actual: Told): string {
  return `${what}\n${JSON.stringify({ ...context, expected, actual }, undefined, 1)}`;
}

function askGit(
  directory: string,
  version: ProtocolVersion,
  mode: 'stateless' | 'stateful',
  input: Uint8Array,
): { readonly wire: Uint8Array; readonly failed: boolean } {
  const flags = mode === 'stateless' ? ['--stateless-rpc'] : [];
  const result = spawnSync('git', [...EXACT, 'upload-pack', ...flags, directory], {
    input,
    env: { ...GIT_ENVIRONMENT, GIT_PROTOCOL: `version=${version}`, GIT_USER_AGENT: 'packwire/0.1.0' },
    maxBuffer: 1 << 28,
  });
  return { wire: new Uint8Array(result.stdout), failed: result.status !== 0 };
}

/** Without short cuts that send more than is needed, or less than a plain walk would. */
const EXACT = ['-c', 'pack.useSparse=false', '-c', 'pack.useBitmaps=false'];
