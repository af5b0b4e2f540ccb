/**
 * What every ref database must do, as cases that any test runner can run on any implementation.
 *
 * @module
 */
import { GitError } from '../core/errors.ts';
import type { ObjectId } from '../core/object-id.ts';
import { checkAgainstModel } from './conformance-model.ts';
import { type ConformanceTools, sampleId } from './conformance-tools.ts';
import type { RefUpdate, RefUpdateOutcome } from './ref-database.ts';

export type { ConformanceTools } from './conformance-tools.ts';

export interface ConformanceCase {
  readonly name: string;
  run(tools: ConformanceTools): Promise<void>;
}

const MAIN = 'refs/heads/main';
const EACH = { atomic: false } as const;
const ATOMIC = { atomic: true } as const;

function create(name: string, newId: ObjectId): RefUpdate {
  return { name, newId, expected: undefined };
}

function reasons(outcomes: readonly RefUpdateOutcome[]): string[] {
  return outcomes.map((outcome) => (outcome.ok ? 'ok' : `${outcome.code} ${outcome.reason}`));
}

/** Every case; each opens its own database. */
export const REF_DATABASE_CASES: readonly ConformanceCase[] = [
  {
    name: 'a new database has an unborn HEAD and no refs',
    async run({ open, equal }) {
      const refs = await open();
      equal(await refs.read('HEAD'), { kind: 'symbolic', target: MAIN });
      equal(await refs.resolve('HEAD'), undefined);
      equal(await refs.resolve(MAIN), undefined);
      equal(await refs.list(), []);
      equal(await refs.reflog('HEAD'), []);
      await refs.close();
    },
  },
  {
    name: 'a ref is created, read, moved and deleted',
    async run({ open, equal }) {
      const refs = await open();
      const [one, two] = [sampleId(refs, 1), sampleId(refs, 2)];
      equal(await refs.update([create(MAIN, one)], EACH), [{ name: MAIN, ok: true }]);
      equal(await refs.read(MAIN), { kind: 'direct', id: one });
      equal(await refs.resolve('HEAD'), { name: 'HEAD', id: one, symbolicTarget: MAIN });
      equal(await refs.list(), [{ name: MAIN, id: one }]);
      equal(reasons(await refs.update([{ name: MAIN, newId: two, expected: one }], EACH)), ['ok']);
      equal((await refs.resolve(MAIN))?.id, two);
      equal(reasons(await refs.update([{ name: MAIN, newId: undefined, expected: two }], EACH)), ['ok']);
      equal(await refs.read(MAIN), undefined);
      equal(await refs.list(), []);
      await refs.close();
    },
  },
  {
    name: 'an update whose expectation is wrong is refused, and changes nothing',
    async run({ open, equal }) {
      const refs = await open();
      const [one, two] = [sampleId(refs, 1), sampleId(refs, 2)];
      await refs.update([create(MAIN, one)], EACH);
      const attempts: RefUpdate[] = [
        create(MAIN, two),
        { name: MAIN, newId: one, expected: two },
        { name: MAIN, newId: undefined, expected: two },
        { name: 'refs/heads/absent', newId: two, expected: one },
        { name: 'refs/heads/absent', newId: undefined, expected: one },
      ];
      const seen: string[] = [];
      for (const attempt of attempts) seen.push(...reasons(await refs.update([attempt], EACH)));
      equal(seen, [
        'REF_CONFLICT reference already exists',
        'REF_CONFLICT incorrect old value provided',
        'REF_CONFLICT incorrect old value provided',
        'REF_CONFLICT reference does not exist',
        'REF_CONFLICT reference does not exist',
      ]);
      equal(await refs.list(), [{ name: MAIN, id: one }]);
      await refs.close();
    },
  },
  {
    name: "'any' and all zeros: whatever the ref holds, and no object",
    async run({ open, equal }) {
      const refs = await open();
      const [one, two] = [sampleId(refs, 1), sampleId(refs, 2)];
      const { zeroId } = refs.format;
      equal(reasons(await refs.update([{ name: MAIN, newId: one, expected: 'any' }], EACH)), ['ok']);
      equal(reasons(await refs.update([{ name: MAIN, newId: two, expected: 'any' }], EACH)), ['ok']);
      equal(reasons(await refs.update([{ name: 'refs/heads/b', newId: one, expected: zeroId }], EACH)), [
        'ok',
      ]);
      equal(reasons(await refs.update([{ name: MAIN, newId: zeroId, expected: two }], EACH)), ['ok']);
      equal(reasons(await refs.update([{ name: MAIN, newId: undefined, expected: 'any' }], EACH)), ['ok']);
      equal(await refs.list(), [{ name: 'refs/heads/b', id: one }]);
      await refs.close();
    },
  },
  {
    name: 'a listing is in byte order and selects by prefix',
    async run({ open, equal }) {
      const refs = await open();
      const id = sampleId(refs, 1);
      const names = ['a', 'a-b', 'a.b', 'a/b', 'b', 'é', '\u{1f600}', '\uffee'].map((name, i) =>
        name === 'a/b' ? `refs/tags/${name}` : `refs/${i % 2 === 0 ? 'heads' : 'tags'}/${name}`,
      );
      await refs.update(
        names.map((name) => create(name, id)),
        ATOMIC,
      );
      const listed = async (prefixes?: readonly string[]) =>
        (await refs.list(prefixes)).map(({ name }) => name);
      const encoder = new TextEncoder();
      const key = (name: string) => Array.from(encoder.encode(name), (b) => String.fromCharCode(b)).join('');
      const sorted = [...names].sort((a, b) => (key(a) < key(b) ? -1 : 1));
      const under = (...prefixes: string[]) =>
        sorted.filter((name) => prefixes.some((p) => name.startsWith(p)));
      equal(await listed(), sorted);
      equal(await listed([]), sorted);
      equal(await listed(['']), sorted);
      equal(await listed(['HEAD', 'refs/tags/']), under('refs/tags/'));
      equal(await listed(['refs/heads/a']), under('refs/heads/a'));
      equal(
        await listed(['refs/tags/a', 'refs/tags/a/', 'refs/heads/']),
        under('refs/tags/a', 'refs/heads/'),
      );
      equal(await listed(['refs/heads', 'refs/nothing', 'refs/heads/a']), under('refs/heads'));
      equal(await listed(['objects/']), []);
      await refs.close();
    },
  },
  {
    name: 'an atomic batch happens whole or not at all',
    async run({ open, equal }) {
      const refs = await open();
      const id = sampleId(refs, 1);
      await refs.update([create(MAIN, id)], ATOMIC);
      const batch = [
        create('refs/heads/x', id),
        create(MAIN, id),
        { name: MAIN, newId: undefined, expected: id },
      ];
      equal(reasons(await refs.update(batch.slice(0, 2), ATOMIC)), [
        'REF_CONFLICT atomic transaction failed',
        'REF_CONFLICT reference already exists',
      ]);
      equal(await refs.list(), [{ name: MAIN, id }]);
      equal(reasons(await refs.update([batch[0], batch[2]] as RefUpdate[], ATOMIC)), ['ok', 'ok']);
      equal(await refs.list(), [{ name: 'refs/heads/x', id }]);
      await refs.close();
    },
  },
  {
    name: 'in a batch that is not atomic each update stands alone',
    async run({ open, equal }) {
      const refs = await open();
      const id = sampleId(refs, 1);
      const batch = [
        create('refs/heads/x', id),
        { name: MAIN, newId: id, expected: id },
        create('refs/heads/y', id),
      ];
      equal(reasons(await refs.update(batch, EACH)), ['ok', 'REF_CONFLICT reference does not exist', 'ok']);
      equal(
        (await refs.list()).map(({ name }) => name),
        ['refs/heads/x', 'refs/heads/y'],
      );
      await refs.close();
    },
  },
  {
    name: 'a name given twice, and names that conflict as directory and file, are refused',
    async run({ open, equal }) {
      const refs = await open();
      const id = sampleId(refs, 1);
      const twice = `REF_CONFLICT multiple updates for ref '${MAIN}' not allowed`;
      equal(reasons(await refs.update([create(MAIN, id), create(MAIN, id)], EACH)), [twice, twice]);
      equal(reasons(await refs.update([create(MAIN, id), create('HEAD', id)], EACH)), [twice, twice]);
      const together = [create('refs/heads/a', id), create('refs/heads/a/b', id)];
      equal(reasons(await refs.update(together, EACH)), Array(2).fill('REF_CONFLICT refname conflict'));
      equal(await refs.list(), []);

      await refs.update([create('refs/heads/d/e', id), create('refs/heads/f', id)], EACH);
      const apart = [
        create('refs/heads/d', id),
        create('refs/heads/f/g', id),
        create('refs/heads/d/e/x', id),
      ];
      equal(reasons(await refs.update(apart, EACH)), Array(3).fill('REF_CONFLICT refname conflict'));
      equal((await refs.list()).length, 2);
      const other = sampleId(refs, 2);
      const moved: RefUpdate = { name: 'refs/heads/f', newId: other, expected: id };
      const missing: RefUpdate = { name: 'refs/heads/f/h', newId: other, expected: id };
      equal(reasons(await refs.update([create('refs/heads/f/g', id), moved, missing], EACH)), [
        'REF_CONFLICT refname conflict',
        'ok',
        'REF_CONFLICT reference does not exist',
      ]);
      await refs.close();
    },
  },
  {
    name: 'deletions come first where updates stand alone, and make room',
    async run({ open, equal }) {
      const refs = await open();
      const id = sampleId(refs, 1);
      await refs.update([create('refs/heads/a/b', id)], EACH);
      const batch: RefUpdate[] = [
        create('refs/heads/a', id),
        { name: 'refs/heads/a/b', newId: undefined, expected: id },
      ];
      equal(reasons(await refs.update(batch, EACH)), ['ok', 'ok']);
      equal(
        (await refs.list()).map(({ name }) => name),
        ['refs/heads/a'],
      );
      await refs.close();
    },
  },
  {
    name: 'names that break the rules, or lead out of the refs, are refused and never read',
    async run({ open, equal }) {
      const refs = await open();
      const id = sampleId(refs, 1);
      for (const name of [
        '',
        'config',
        'refs/heads/../../config',
        'refs/heads/.a',
        'refs/heads/a.lock',
        'main',
      ]) {
        equal(reasons(await refs.update([create(name, id)], EACH)), ['REF_INVALID funny refname'], name);
        equal(await refs.read(name), undefined, name);
        equal(await refs.resolve(name), undefined, name);
        equal(await refs.reflog(name), [], name);
      }
      equal(await refs.list(), []);
      await refs.close();
    },
  },
  {
    name: 'an id of another format is a mistake of the caller',
    async run({ open, equal }) {
      const refs = await open();
      let code: string | undefined;
      try {
        await refs.update([create(MAIN, 'abc')], EACH);
      } catch (error) {
        code = error instanceof GitError ? error.code : 'another error';
      }
      equal(code, 'INVALID_ARGUMENT');
      await refs.close();
    },
  },
  {
    name: 'symbolic refs are followed when read, listed and updated; dangling and endless ones are left out',
    async run({ open, equal }) {
      const refs = await open();
      const [one, two] = [sampleId(refs, 1), sampleId(refs, 2)];
      const remote = 'refs/remotes/origin/HEAD';
      await refs.setSymbolic(remote, MAIN);
      await refs.setSymbolic('refs/heads/loop', 'refs/heads/pool');
      await refs.setSymbolic('refs/heads/pool', 'refs/heads/loop');
      equal(await refs.list(), []);
      equal(await refs.resolve('refs/heads/loop'), undefined);
      equal(reasons(await refs.update([create(remote, one)], EACH)), ['ok']);
      equal(await refs.list(), [
        { name: MAIN, id: one },
        { name: remote, id: one, symbolicTarget: MAIN },
      ]);
      equal(reasons(await refs.update([{ name: 'HEAD', newId: two, expected: one }], ATOMIC)), ['ok']);
      equal(await refs.read('HEAD'), { kind: 'symbolic', target: MAIN });
      equal(await refs.read(MAIN), { kind: 'direct', id: two });
      const [outcome] = await refs.update([{ name: 'refs/heads/loop', newId: one, expected: 'any' }], EACH);
      equal(outcome?.ok === false && outcome.code, 'REF_INVALID');
      await refs.setSymbolic('HEAD', 'refs/heads/other');
      equal(await refs.resolve('HEAD'), undefined);
      await refs.close();
    },
  },
  {
    name: 'setSymbolic() refuses names no ref can have',
    async run({ open, equal }) {
      const refs = await open();
      await refs.update([create('refs/heads/a', sampleId(refs, 1))], EACH);
      const codes: unknown[] = [];
      for (const [name, target] of [
        ['config', MAIN],
        ['HEAD', '../config'],
        ['refs/heads/a/b', MAIN],
      ] as const) {
        await refs.setSymbolic(name, target).catch((error: unknown) => {
          codes.push(error instanceof GitError ? error.code : error);
        });
      }
      equal(codes, ['REF_INVALID', 'REF_INVALID', 'REF_CONFLICT']);
      await refs.close();
    },
  },
  {
    name: 'changes are logged for the branch and for a HEAD that points at it; a deleted ref loses its log',
    async run({ open, equal }) {
      const refs = await open();
      const [one, two] = [sampleId(refs, 1), sampleId(refs, 2)];
      const identity = {
        name: 'A <U>\nThor',
        email: 'a@example.com',
        timeSeconds: 1112911993,
        zoneMinutes: -450,
      };
      const options = { atomic: false, reflogMessage: ' push \n of  two ', identity };
      await refs.update(
        [create(MAIN, one), create('refs/heads/b', one), create('refs/tags/v', one)],
        options,
      );
      await refs.update([{ name: MAIN, newId: two, expected: one }], options);
      await refs.update([{ name: MAIN, newId: two, expected: two }], options);
      await refs.update([{ name: 'refs/heads/b', newId: two, expected: one }], EACH);
      const by = { identity: 'A UThor <a@example.com> 1112911993 -0730', message: 'push of two' };
      const created = { oldId: refs.format.zeroId, newId: one, ...by };
      const moved = { oldId: one, newId: two, ...by };
      equal(await refs.reflog(MAIN), [created, moved]);
      equal(await refs.reflog('HEAD'), [created, moved]);
      equal(await refs.reflog('refs/heads/b'), [created]);
      equal(await refs.reflog('refs/tags/v'), []);
      await refs.update([{ name: MAIN, newId: undefined, expected: two }], options);
      equal(await refs.reflog(MAIN), []);
      equal(await refs.reflog('HEAD'), [created, moved, { oldId: two, newId: refs.format.zeroId, ...by }]);
      await refs.close();
    },
  },
  {
    name: 'an aborted call throws ABORTED and changes nothing',
    async run({ open, equal }) {
      const refs = await open();
      const signal = AbortSignal.abort();
      const codes: unknown[] = [];
      const note = (error: unknown) => {
        codes.push(error instanceof GitError ? error.code : error);
      };
      await refs.update([create(MAIN, sampleId(refs, 1))], { atomic: false, signal }).catch(note);
      await refs.list(undefined, { signal }).catch(note);
      equal(codes, ['ABORTED', 'ABORTED']);
      equal(await refs.list(), []);
      await refs.close();
    },
  },
  {
    name: 'of many at once that expect the same value, one wins',
    async run({ open, equal }) {
      const refs = await open();
      await refs.update([create(MAIN, sampleId(refs, 0))], EACH);
      const rivals = Array.from({ length: 8 }, (_, n) =>
        refs.update([{ name: MAIN, newId: sampleId(refs, n + 1), expected: sampleId(refs, 0) }], EACH),
      );
      const won = (await Promise.all(rivals)).flatMap(([outcome], n) => (outcome?.ok === true ? [n] : []));
      equal(won.length, 1);
      equal((await refs.resolve(MAIN))?.id, sampleId(refs, (won[0] as number) + 1));
      await refs.close();
    },
  },
  { name: 'random batches do what they do to a map', run: checkAgainstModel },
];
