/**
 * Pushes and fetches while the disk is full or broken: the client is told so, nothing is left behind, and the next
 * request works.
 */
import '../support/failing-disk.ts';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import { encodeText } from '../../src/core/bytes.ts';
import { isGitError } from '../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import { bytesToHex } from '../../src/core/object-id.ts';
import { COMMIT, TREE } from '../../src/core/object-kind.ts';
import { uploadPack } from '../../src/protocol/upload-pack.ts';
import { initRepository, openRepository } from '../../src/repository/node/files-repository.ts';
import { PackSharing } from '../../src/repository/pack-sharing/pack-sharing.ts';
import { type DiskFault, failDisk, NO_FAILING_DISK } from '../support/failing-disk.ts';
import { git, scratchDirectory } from '../support/git.ts';
import { blobEntry, blobId, packOf, wholeEntry } from '../support/pack-builder.ts';
import { packLines } from '../support/packets.ts';
import { type HandMadePush, pushByHand } from '../support/push-client.ts';
import { packIds, readAnswer } from '../support/served-repository.ts';
import { chunked, drain } from '../support/streams.ts';

const needs = { skip: NO_FAILING_DISK };
const ZERO = '0'.repeat(40);
const MISSING = 'd'.repeat(40);

const TEXT = 'pushed while the disk is full\n';
const BLOB = bytesToHex(blobId(TEXT));
const OLD_TEXT = 'here before\n';
const OLD_BLOB = bytesToHex(blobId(OLD_TEXT));

const create: HandMadePush = {
  commands: [`${ZERO} ${BLOB} refs/tags/topic/new`],
  pack: packOf([blobEntry(TEXT)]),
};
const remove: HandMadePush = { commands: [`${OLD_BLOB} ${ZERO} refs/tags/old`] };
const many: HandMadePush = {
  commands: Array.from({ length: 120 }, (_, i) => `${ZERO} ${OLD_BLOB} refs/tags/many-${i}`),
  pack: packOf([]),
};
const shallow = shallowPush();

/** A commit whose parent is not sent, nor here. */
function shallowPush(): HandMadePush {
  const who = 'A <a@example.com> 1700000000 +0000';
  const tree = createHash('sha1').update('tree 0\0').digest('hex');
  const text = `tree ${tree}\nparent ${MISSING}\nauthor ${who}\ncommitter ${who}\n\nx\n`;
  const commit = createHash('sha1').update(`commit ${text.length}\0${text}`).digest('hex');
  return {
    commands: [`${ZERO} ${commit} refs/heads/main`],
    shallow: [commit],
    pack: packOf([wholeEntry(COMMIT, encodeText(text)), wholeEntry(TREE, new Uint8Array(0))]),
  };
}

const KEPT = '[receive]\n\tunpackLimit = 1\n';
const LOGGED = '[core]\n\tlogAllRefUpdates = always\n';
const SHALLOW = '[receive]\n\tshallowUpdate = true\n';

/** A repository with packed refs to a loose blob: made once, and copied. */
const template = await makeTemplate();

async function makeTemplate(): Promise<string> {
  const path = join(await scratchDirectory({ after: after as TestContext['after'] }), 'r.git');
  await (await initRepository(path))[Symbol.asyncDispose]();
  git({ cwd: path, input: OLD_TEXT }, 'hash-object', '-w', '--stdin');
  git(path, 'update-ref', 'refs/tags/old', OLD_BLOB);
  git(path, 'update-ref', 'refs/tags/stays', OLD_BLOB);
  git(path, 'pack-refs', '--all');
  return path;
}

async function scene(t: TestContext, config: string) {
  const path = join(await scratchDirectory(t), 'r.git');
  cpSync(template, path, { recursive: true });
  appendFileSync(join(path, 'config'), config);
  const repository = await openRepository(path);
  t.after(() => repository[Symbol.asyncDispose]());
  return { path, repository };
}

const filesIn = (path: string): string[] =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(path.length + 1))
    .sort();

const QUARANTINE = String.raw`/tmp_objdir-incoming-\w+/`;
const inQuarantine = (rest: string): RegExp => new RegExp(`${QUARANTINE}${rest}`);
const loose = inQuarantine('[0-9a-f]{2}/');

interface Failure {
  readonly what: string;
  readonly config?: string;
  readonly push?: HandMadePush;
  readonly fault: DiskFault;
  /** What the client's report says of it. */
  readonly report: RegExp;
  /** What its user reads. */
  readonly message?: RegExp;
  /** Files that may stay, beside those there were. */
  readonly left?: RegExp;
}

const FULL = /no space left/;
const UNPACK = /^unpack unable to store objects$/;
const NOT_UPDATED = /^ng refs\/tags\/(?:topic\/new|old|many-0) failed to update ref$/;
const NOT_MIGRATED = /^ng refs\/tags\/topic\/new unable to migrate objects to permanent storage$/;

const FAILURES: readonly Failure[] = [
  {
    what: 'there is no room for a quarantine',
    fault: { operations: ['mkdir'], path: /tmp_objdir-incoming/ },
    report: UNPACK,
    message: FULL,
  },
  {
    what: 'objects cannot be written to at all',
    fault: { operations: ['mkdir'], path: /tmp_objdir-incoming/, code: 'EROFS' },
    report: UNPACK,
    message: /the server could not store the objects/,
  },
  {
    what: 'there is no room for the directory of a loose object',
    fault: { operations: ['mkdir'], path: inQuarantine('[0-9a-f]{2}$') },
    report: UNPACK,
    message: FULL,
  },
  {
    what: 'there is no room for the name of a loose object',
    fault: { operations: ['open'], path: loose },
    report: UNPACK,
    message: FULL,
  },
  {
    what: 'there is no room for a loose object',
    fault: { operations: ['write'], path: loose },
    report: UNPACK,
    message: FULL,
  },
  {
    what: 'a loose object does not reach the disk',
    fault: { operations: ['sync'], path: loose, code: 'EIO' },
    report: UNPACK,
    message: /the server could not store the objects/,
  },
  ...(['open', 'write', 'sync'] as const).map((operation) => ({
    what: `a pack cannot be received: ${operation}`,
    config: KEPT,
    fault: { operations: [operation], path: inQuarantine('pack/tmp_pack_') },
    report: UNPACK,
    message: FULL,
  })),
  ...['keep', 'rev', 'idx'].map((extension) => ({
    what: `there is no room for a pack's .${extension}`,
    config: KEPT,
    fault: { operations: ['write'] as const, path: inQuarantine(String.raw`pack/pack-\w+\.${extension}`) },
    report: UNPACK,
    message: FULL,
  })),
  {
    what: 'there is no room for the directory a loose object is published to',
    fault: { operations: ['mkdir'], path: /\/objects\/[0-9a-f]{2}$/ },
    report: NOT_MIGRATED,
  },
  ...['keep', 'pack', 'rev', 'idx'].map((extension) => ({
    what: `a pack's .${extension} cannot be published`,
    config: KEPT,
    fault: {
      operations: ['rename'] as const,
      path: new RegExp(`/objects/pack/pack-[0-9a-f]+\\.${extension}$`),
    },
    report: NOT_MIGRATED,
  })),
  ...(['open', 'write', 'sync'] as const).map((operation) => ({
    what: `the value of a ref cannot be put aside: ${operation}`,
    fault: { operations: [operation], path: /\/objects\/tmp_ref_/ },
    report: NOT_UPDATED,
    message: FULL,
    left: /^objects\//, // nothing refers to them; git gc takes them
  })),
  ...(['mkdir', 'link', 'rename'] as const).map((operation) => ({
    what: `a ref cannot be put in place: ${operation}`,
    fault: { operations: [operation], path: /\/refs\/tags\/topic/ },
    report: NOT_UPDATED,
    message: FULL,
    left: /^objects\//,
  })),
  ...(['mkdir', 'open', 'write'] as const).map((operation) => ({
    what: `a change of a ref cannot be logged: ${operation}`,
    config: LOGGED,
    fault: { operations: [operation], path: /\/logs\/refs\/tags\/topic/ },
    report: NOT_UPDATED,
    message: FULL,
    left: /^objects\/|^logs\/refs\/tags\/topic\/new$/, // an empty log, as git leaves it
  })),
  ...(['open', 'write', 'sync'] as const).map((operation) => ({
    what: `packed-refs cannot be written without a ref: ${operation}`,
    push: remove,
    fault: { operations: [operation], path: /\/packed-refs\.new$/ },
    report: NOT_UPDATED,
    message: FULL,
  })),
  {
    what: 'packed-refs cannot be put in place',
    push: remove,
    fault: { operations: ['rename'], path: /\/packed-refs$/ },
    report: NOT_UPDATED,
    message: FULL,
  },
  {
    what: 'packed-refs cannot be locked',
    push: remove,
    fault: { operations: ['open'], path: /\/packed-refs\.lock$/ },
    report: NOT_UPDATED,
    message: FULL,
  },
  {
    what: 'the locks of many refs cannot be prepared',
    push: many,
    fault: { operations: ['open'], path: /\/objects\/tmp_ref_/ },
    report: NOT_UPDATED,
    message: FULL,
  },
  {
    what: 'packed-refs cannot be read',
    push: remove,
    fault: { operations: ['open'], path: /\/packed-refs$/, code: 'EIO' },
    report: NOT_UPDATED,
  },
  {
    what: 'there is no room for many refs in packed-refs',
    push: many,
    fault: { operations: ['write'], path: /\/packed-refs\.new$/ },
    report: NOT_UPDATED,
    message: FULL,
  },
  ...(['open', 'write', 'sync'] as const).map((operation) => ({
    what: `the shallow file cannot be written: ${operation}`,
    config: SHALLOW,
    push: shallow,
    fault: { operations: [operation], path: /\/shallow\.lock$/ },
    report: /^ng refs\/heads\/main shallow error$/,
    message: FULL,
    left: /^objects\//,
  })),
  {
    what: 'the shallow file cannot be put in place',
    config: SHALLOW,
    push: shallow,
    fault: { operations: ['rename'], path: /\/shallow$/ },
    report: /^ng refs\/heads\/main shallow error$/,
    message: FULL,
    left: /^objects\//,
  },
];

describe('a push is refused with a sentence, and nothing of it is left, when', needs, () => {
  for (const { what, config = '', push = create, fault, report, message, left } of FAILURES) {
    test(what, async (t) => {
      const { path, repository } = await scene(t, config);
      const before = filesIn(path);
      const refs = git(path, 'for-each-ref');
      const errors: unknown[] = [];
      const disk = failDisk(t, fault);
      const answer = await pushByHand(repository, push, { onFailure: (error) => void errors.push(error) });
      disk.mend();

      assert.ok(disk.failures > 0, 'the disk was not asked for it');
      assert.ok(
        answer.report.some((line) => report.test(line)),
        JSON.stringify(answer),
      );
      if (message !== undefined) assert.match(answer.messages, message);
      assert.ok(!`${answer.report.join('\n')}${answer.messages}${answer.fatal}`.includes(path));
      assert.ok(errors.length > 0, 'nothing is in the log');
      const isLeft = (name: string): boolean => left?.test(name) === true && !name.includes('tmp_');
      assert.deepEqual(
        filesIn(path).filter((name) => !isLeft(name)),
        before.filter((name) => !isLeft(name)),
      );
      assert.equal(git(path, 'for-each-ref'), refs);
      if (push !== shallow) git(path, 'fsck', '--strict'); // what is left of that has no parent

      const again = await pushByHand(repository, push);
      assert.deepEqual(
        again.report.filter((line) => !/^(?:unpack )?ok|^0000$/.test(line)),
        [],
        JSON.stringify(again),
      );
      assert.notEqual(git(path, 'for-each-ref'), refs);
      assert.deepEqual(
        filesIn(path).filter((name) => /tmp_|\.lock$|\.new$|\.keep$/.test(name)),
        [],
      );
      git(path, 'fsck', '--strict');
    });
  }
});

describe('nothing is synced that core.fsync leaves out', needs, () => {
  for (const [config, synced] of [
    ['fsync = none', []],
    ['fsync = none,reference', ['tmp_ref_']],
    ['fsync = none,loose-object', ['tmp_objdir']],
    ['fsync = none\n\tfsyncObjectFiles', ['tmp_objdir']],
    ['fsync = -loose-object', ['tmp_ref_']],
    [`fsync = none,pack\n${KEPT}`, ['objects/pack', 'tmp_objdir']],
    [`fsync = none,pack-metadata\n${KEPT}`, ['tmp_objdir']],
    [`fsync = -pack,-pack-metadata,-reference\n${KEPT}`, []],
  ] as const) {
    test(config.replaceAll(/\s+/g, ' '), async (t) => {
      const { path, repository } = await scene(t, `[core]\n\t${config}\n`);
      const seen = new Set<string>();
      const letThrough = Number.POSITIVE_INFINITY;
      const disk = failDisk(t, { operations: ['sync'], path: notingPath(path, seen), after: letThrough });
      const { report } = await pushByHand(repository, create);
      disk.mend();
      assert.ok(report.includes('unpack ok'));
      assert.deepEqual([...seen].sort(), synced);
    });
  }
});

/** Matches everything, and keeps where in the repository it was. */
function notingPath(root: string, seen: Set<string>): RegExp {
  const pattern = /./;
  pattern.test = (path) => {
    const name = path.slice(root.length + 1);
    seen.add(name === 'objects/pack' ? name : (/tmp_(?:ref_|objdir)/.exec(name)?.[0] ?? name));
    return true;
  };
  return pattern;
}

async function emptyRepository(t: TestContext): Promise<string> {
  const path = await scratchDirectory(t);
  git(path, 'init', '-q', '--bare', '.');
  return path;
}

/** More than is held in memory before a file is made for it, of what must be written anew for a client. */
const LARGE_BYTES = 300_000;

describe('clones go on', needs, () => {
  const EVERYTHING = ['open', 'write', 'sync', 'rename', 'mkdir', 'link'] as const;
  for (const [what, fault] of [
    ['when there is no room for what they share', { operations: ['write'], path: /\/tmp_spool_/ }],
    [
      'when a part of what they share is put aside already',
      { operations: ['write'], path: /\/tmp_spool_/, after: 1 },
    ],
    ['when no file can be made for what they share', { operations: ['open'], path: /\/tmp_spool_/ }],
    [
      'when nothing at all can be written',
      { operations: EVERYTHING.filter((operation) => operation !== 'open'), path: /r\.git\// },
    ],
  ] as const satisfies readonly (readonly [string, DiskFault])[]) {
    test(what, async (t) => {
      const { path, repository } = await scene(t, '');
      const ids = [0, 1, 2].map((part) => {
        const large = createHash('shake256', { outputLength: LARGE_BYTES }).update(`${part}`).digest();
        writeFileSync(join(path, 'large'), large);
        return git(path, 'hash-object', '-w', 'large').trim();
      });
      for (const [i, id] of ids.entries()) git(path, 'update-ref', `refs/tags/large-${i}`, id);
      const before = filesIn(path);
      const disk = failDisk(t, fault);
      const sharing = new PackSharing();
      const clone = async (): Promise<Uint8Array> => {
        const options = { mode: 'stateless', protocolVersion: 2, limits: DEFAULT_LIMITS, sharing } as const;
        const wants = ids.map((id) => `want ${id}`);
        const request = packLines(['command=fetch', 'object-format=sha1', '0001', ...wants, 'done', '0000']);
        return readAnswer(await drain(uploadPack(repository, chunked(request), options))).pack;
      };
      const packs = await Promise.all([clone(), clone()]);
      assert.ok(disk.failures > 0, 'the disk was not asked for it');
      disk.mend();
      for (const pack of packs) assert.deepEqual(packIds(await emptyRepository(t), pack), [...ids].sort());
      assert.deepEqual(filesIn(path), before);
      assert.deepEqual([sharing.usage.bytes, sharing.usage.files], [0, 0]);
      assert.deepEqual(packIds(await emptyRepository(t), await clone()), [...ids].sort());
    });
  }
});

test('a repository that cannot be made leaves nothing where it was to be', needs, async (t) => {
  const root = await scratchDirectory(t);
  for (const fault of [
    { operations: ['write'], path: /\/config\.init-/ },
    { operations: ['sync'], path: /\/HEAD\.init-/, code: 'EIO' },
    { operations: ['mkdir'], path: /\/refs\/tags$/ },
    { operations: ['rename'], path: /\/r\.git$/ },
  ] as const satisfies readonly DiskFault[]) {
    const disk = failDisk(t, fault);
    await assert.rejects(initRepository(join(root, 'r.git')), (error) => {
      assert.ok(isGitError(error, 'STORAGE_FAILED'), String(error));
      assert.match(error.message, /^Cannot make repository: (?:no space left on the disk|the disk failed)/);
      return true;
    });
    disk.mend();
    assert.deepEqual(readdirSync(root), []);
  }
  await (await initRepository(join(root, 'r.git')))[Symbol.asyncDispose]();
});
