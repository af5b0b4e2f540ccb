/** What upload-pack refuses, what it says, and that nothing goes on afterwards. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, decodeLatin1 } from '../../src/core/bytes.ts';
import { GitError, isGitError } from '../../src/core/errors.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { ObjectReader } from '../../src/odb/object-database.ts';
import type { ProtocolVersion } from '../../src/protocol/service.ts';
import { type UploadPackOptions, uploadPack } from '../../src/protocol/upload-pack.ts';
import type { Repository } from '../../src/repository/repository.ts';
import { memoryHistory } from '../support/memory-history.ts';
import { packLines } from '../support/packets.ts';
import { ask, readAnswer } from '../support/served-repository.ts';
import { chunked } from '../support/streams.ts';

const { repository, commits, trees, blobs, tag, stray } = await memoryHistory();
const [first, , , , tip] = commits as readonly [string, string, string, string, string];
const MISSING = 'd'.repeat(40);

interface Outcome {
  readonly lines: readonly string[];
  readonly wire: Uint8Array;
  /** Codes that `onFailure` was given. */
  readonly failures: readonly string[];
}

async function outcomeOf(
  version: ProtocolVersion,
  request: Uint8Array,
  options: Partial<UploadPackOptions> = {},
  from: Repository = repository,
): Promise<Outcome> {
  const failures: string[] = [];
  const onFailure = (error: unknown) => failures.push(isGitError(error) ? error.code : String(error));
  const wire = await ask(from, { version, request, options: { onFailure, ...options } });
  return { lines: readAnswer(wire).lines, wire, failures };
}

const sha1 = 'object-format=sha1';
const fetchRequest = (...lines: readonly string[]): Uint8Array =>
  packLines(['command=fetch', sha1, '0001', ...lines, '0000']);

for (const [name, lines, error] of [
  ['an unknown capability', ['foobar', '0000'], "unknown capability 'foobar'"],
  ['no command', ['agent=git/test', sha1, '0000'], 'no command requested'],
  ['an unknown command', ['command=foo', '0000'], "invalid command 'foo'"],
  ['a capability as a command', ['command=agent', sha1, '0000'], "invalid command 'agent'"],
  ['a command as a capability', ['command=ls-refs', sha1, 'fetch', '0000'], "unknown capability 'fetch'"],
  ['a command with a value', ['command=ls-refs=x', sha1, '0000'], "invalid command 'ls-refs=x'"],
  [
    'two commands',
    ['command=ls-refs', 'command=fetch', '0000'],
    "command 'fetch' requested after already requesting command 'ls-refs'",
  ],
  [
    'another object format',
    ['command=fetch', 'object-format=sha256', '0000'],
    'mismatched object format: server sha1; client sha256',
  ],
  ['an unknown object format', ['command=fetch', 'object-format=md5', '0000'], "unknown object format 'md5'"],
  [
    'an object format without a name',
    ['command=fetch', 'object-format', '0000'],
    'object-format capability requires an argument',
  ],
  ['an unknown ls-refs argument', ['command=ls-refs', sha1, '0001', 'x', '0000'], "unexpected line: 'x'"],
  ['an unknown fetch argument', ['command=fetch', sha1, '0001', 'x y', '0000'], "unexpected line: 'x y'"],
  [
    'ls-refs arguments without a flush',
    ['command=ls-refs', sha1, '0001', 'peel', '0001'],
    'expected flush after ls-refs arguments',
  ],
  [
    'fetch arguments without a flush',
    ['command=fetch', sha1, '0001', 'done', '0002'],
    'expected flush after fetch arguments',
  ],
  ['the end amid capabilities', ['command=ls-refs', sha1], 'the remote end hung up unexpectedly'],
  ['the end amid arguments', ['command=fetch', sha1, '0001', 'done'], 'the remote end hung up unexpectedly'],
  [
    'control characters, which come back masked',
    ['evil\x1b[31m\r\x07', '0000'],
    "unknown capability 'evil?[31m??'",
  ],
] as const) {
  test(`version 2 refuses ${name}`, async () => {
    const { lines: answer, failures } = await outcomeOf(2, packLines(lines));
    assert.deepEqual(answer, [`ERR ${error}`]);
    assert.deepEqual(failures, ['PROTOCOL_VIOLATION']);
  });
}

test('an empty request, and a lone flush, are answered with nothing', async () => {
  for (const version of [0, 2] as const) {
    for (const request of ['', '0000']) {
      assert.deepEqual((await outcomeOf(version, packLines(request === '' ? [] : [request]))).lines, []);
    }
  }
});

for (const [name, lines, code, error] of [
  [
    'a line that is no want',
    ['have x', '0000'],
    'PROTOCOL_VIOLATION',
    "upload-pack: protocol error, expected to get object ID, not 'have x'",
  ],
  ['a missing object', [`want ${MISSING}`, '0000'], 'NOT_OUR_REF', `upload-pack: not our ref ${MISSING}`],
  [
    'something else than haves',
    [`want ${tip}`, '0000', 'x', '0000'],
    'PROTOCOL_VIOLATION',
    "upload-pack: expected SHA1 list, got 'x'",
  ],
  [
    'a have that is no id',
    [`want ${tip}`, '0000', 'have x', '0000'],
    'PROTOCOL_VIOLATION',
    "upload-pack: expected SHA1 object, got 'x'",
  ],
  [
    'the end amid haves',
    [`want ${tip}`, '0000', `have ${MISSING}`],
    'PROTOCOL_VIOLATION',
    'the remote end hung up unexpectedly',
  ],
  [
    'a boundary that is no commit',
    [`want ${tip}`, `shallow ${blobs[0]}`, '0000', 'done'],
    'PROTOCOL_VIOLATION',
    `invalid shallow object ${blobs[0]}`,
  ],
  [
    'deepen-not of no ref',
    [`want ${tip}`, 'deepen-not nowhere', '0000', 'done'],
    'PROTOCOL_VIOLATION',
    'upload-pack: deepen-not is not a ref: deepen-not nowhere',
  ],
  [
    'deepen-not of a path',
    [`want ${tip}`, 'deepen-not ../../config', '0000', 'done'],
    'PROTOCOL_VIOLATION',
    'upload-pack: deepen-not is not a ref: deepen-not ../../config',
  ],
] as const) {
  test(`version 0 refuses ${name}`, async () => {
    const { lines: answer, failures } = await outcomeOf(0, packLines(lines));
    assert.deepEqual(answer, [`ERR ${error}`]);
    assert.deepEqual(failures, [code]);
  });
}

const WANTS: Readonly<Record<string, string>> = {
  'a tip': tip,
  'a tag': tag,
  'a commit in history': first,
  'a tree in history': trees[1] as string,
  'a blob in history': blobs[2] as string,
  'a stray commit': stray,
  'a stray blob': blobs[5] as string,
  'a missing object': MISSING,
};
const STRAY = ['a stray commit', 'a stray blob', 'a missing object'];

for (const [policy, refused] of [
  ['any', ['a missing object']],
  ['reachable', STRAY],
  // What was a tip when the client looked may be history now: such wants count as advertised.
  ['advertised', STRAY],
] as const) {
  for (const version of [0, 1, 2] as const) {
    test(`wants under the policy '${policy}', version ${version}`, async () => {
      for (const [name, id] of Object.entries(WANTS)) {
        const request =
          version === 2
            ? fetchRequest(`want ${id}`, 'done')
            : packLines([`want ${id} side-band-64k`, '0000', 'done']);
        const { lines, failures } = await outcomeOf(version, request, { wantPolicy: policy });
        const isRefused = (refused as readonly string[]).includes(name);
        assert.deepEqual(failures, isRefused ? ['NOT_OUR_REF'] : [], name);
        assert.equal(lines.includes(`ERR upload-pack: not our ref ${id}`), isRefused, name);
      }
    });
  }
}

test("on a connection the policy 'advertised' knows what it has shown", async () => {
  for (const [id, isRefused] of [
    [tip, false],
    [tag, false],
    [first, true],
  ] as const) {
    const request = packLines([`want ${id} side-band-64k`, '0000', 'done']);
    const { failures } = await outcomeOf(0, request, { mode: 'stateful', wantPolicy: 'advertised' });
    assert.deepEqual(failures, isRefused ? ['NOT_OUR_REF'] : [], id);
  }
});

test('hidden refs are not shown, nor is what only they reach', async () => {
  const hiddenRefs = ['refs/heads'];
  const listed = await outcomeOf(2, packLines(['command=ls-refs', sha1, '0000']), { hiddenRefs });
  assert.deepEqual(listed.lines, [`${tip} HEAD`, `${tag} refs/tags/v1`, '0000']);
  const advertised = await outcomeOf(0, new Uint8Array(0), {
    mode: 'advertise',
    hiddenRefs: ['HEAD', 'refs'],
  });
  assert.match(advertised.lines[0] as string, /^0{40} capabilities\^\{\}/);
  const wanted = await outcomeOf(2, fetchRequest(`want ${first}`, 'done'), { hiddenRefs: ['HEAD', 'refs'] });
  assert.deepEqual(wanted.failures, ['NOT_OUR_REF']);
});

test('capabilities follow the policy', async () => {
  const advertise = async (options: Partial<UploadPackOptions>): Promise<string> =>
    (await outcomeOf(0, new Uint8Array(0), { mode: 'advertise', ...options })).lines[0] as string;
  assert.match(
    await advertise({}),
    / allow-tip-sha1-in-want allow-reachable-sha1-in-want no-done .* filter /,
  );
  assert.doesNotMatch(await advertise({ wantPolicy: 'advertised' }), /in-want/);
  assert.doesNotMatch(await advertise({ allowFilter: false }), / filter/);
  assert.match(await advertise({ agent: 'mine/2' }), / agent=mine\/2$/);
});

for (const [name, limits, lines] of [
  ['bytes', { maxFetchRequestBytes: 60 }, [`want ${tip}`, 'done']],
  ['wants', { maxWants: 1 }, [`want ${tip}`, `want ${tag}`, 'done']],
  ['haves', { maxHaves: 1 }, [`want ${tip}`, `have ${first}`, `have ${commits[1]}`, 'done']],
  ['shallow lines', { maxShallowLines: 0 }, [`want ${tip}`, `shallow ${first}`, 'done']],
] as const) {
  test(`a request with too many ${name} is refused`, async () => {
    const { lines: answer, failures } = await outcomeOf(2, fetchRequest(...lines), {
      limits: { ...DEFAULT_LIMITS, ...limits },
    });
    assert.match(answer.join(), /^ERR [^,]+ at most \d+ [^,]+ are allowed$/);
    assert.deepEqual(failures, ['LIMIT_EXCEEDED']);
  });
}

/** The repository with another reader. */
function withReader(change: (reader: ObjectReader) => ObjectReader): Repository {
  return {
    ...repository,
    objects: {
      ...repository.objects,
      format: repository.format,
      openReader: async (options) => change(await repository.objects.openReader(options)),
    },
  };
}

const without = (missing: string): Repository =>
  withReader((reader) => ({
    ...reader,
    format: reader.format,
    packs: reader.packs,
    has: (id) => id !== missing && reader.has(id),
    hasRaw: (ids, at) => reader.hasRaw(ids, at),
    read: (id) => (id === missing ? undefined : reader.read(id)),
    readRaw: (ids, at) => {
      const object = reader.readRaw(ids, at);
      return object === reader.read(missing) ? undefined : object;
    },
    viewRaw: (ids, at, into) => reader.viewRaw(ids, at, into) && !isOf(reader, missing, into),
    readHeader: (id) => (id === missing ? undefined : reader.readHeader(id)),
    readHeaderRaw: (ids, at) => reader.readHeaderRaw(ids, at),
    locate: (ids, at, into) => reader.locate(ids, at, into),
    idsWithPrefix: (prefix, most) => reader.idsWithPrefix(prefix, most),
    stream: (id) => reader.stream(id),
    release: () => reader.release(),
  }));

function isOf(
  reader: ObjectReader,
  id: string,
  { bytes, start, end }: { bytes: Uint8Array; start: number; end: number },
): boolean {
  return decodeLatin1(bytes, start, end) === decodeLatin1(reader.read(id)?.data ?? new Uint8Array(0));
}

const CORRUPTION = 'upload-pack: aborting due to possible repository corruption on the remote side.';

test('a broken repository is reported on band 3, without details', async () => {
  const broken = without(trees[1] as string);
  const { lines, failures } = await outcomeOf(
    2,
    fetchRequest(`want ${tip}`, 'no-progress', 'done'),
    {},
    broken,
  );
  assert.deepEqual(lines, ['packfile', `3:${CORRUPTION}`]);
  assert.deepEqual(failures, ['OBJECT_MISSING']);
});

test('without a side-band a broken repository can only break off', async () => {
  const request = packLines([`want ${tip}`, '0000', 'done']);
  await assert.rejects(outcomeOf(0, request, {}, without(trees[1] as string)), { code: 'OBJECT_MISSING' });
});

test('a bug is an internal error to the client, and thrown here', async () => {
  const buggy = withReader(() => {
    throw new TypeError('secret');
  });
  const chunks: Uint8Array[] = [];
  const output = uploadPack(buggy, chunked(fetchRequest(`want ${tip}`, 'done')), {
    mode: 'stateless',
    protocolVersion: 2,
    limits: DEFAULT_LIMITS,
  });
  await assert.rejects(async () => {
    for await (const chunk of output) chunks.push(chunk);
  }, TypeError);
  assert.equal(decodeLatin1(concatBytes(...chunks)), '0023ERR upload-pack: internal error');
});

/** Counts readers that are open, and requests that are not closed. */
function watched(): {
  repository: Repository;
  request: (bytes: Uint8Array) => AsyncGenerator<Uint8Array>;
  open: () => number;
} {
  let open = 0;
  return {
    open: () => open,
    repository: withReader((reader) => {
      open++;
      let isOpen = true;
      return new Proxy(reader, {
        get(target, name, receiver) {
          if (name !== 'release') {
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? value.bind(target) : value;
          }
          return () => {
            if (isOpen) open--;
            isOpen = false;
            return Reflect.get(target, name, receiver)?.call(target);
          };
        },
      });
    }),
    async *request(bytes) {
      open++;
      try {
        yield bytes;
        await new Promise(() => undefined); // a client that keeps its side open
      } finally {
        open--;
      }
    },
  };
}

/** Choosing a pack stops between two steps of its own: wait for that, but not for ever. */
async function settled(open: () => number): Promise<void> {
  for (let round = 0; round < 1000 && open() > 0; round++) await new Promise((go) => setImmediate(go));
}

test('a consumer that stops ends everything', async () => {
  const requests = {
    0: packLines([`want ${tip} side-band-64k`, '0000', 'done']),
    2: fetchRequest(`want ${tip}`, 'done'),
  };
  for (const version of [0, 2] as const) {
    const { length } = await chunksOf(version, requests[version]);
    for (let taken = 1; taken <= length; taken++) {
      const watch = watched();
      const output = uploadPack(watch.repository, watch.request(requests[version]), {
        mode: 'stateful',
        protocolVersion: version,
        limits: DEFAULT_LIMITS,
      });
      for (let i = 0; i < taken; i++) await output.next();
      await output.return(undefined);
      await settled(watch.open);
      assert.equal(watch.open(), 0, `version ${version} after ${taken} chunks`);
    }
  }
});

async function chunksOf(version: ProtocolVersion, request: Uint8Array): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  const options = { mode: 'stateful', protocolVersion: version, limits: DEFAULT_LIMITS } as const;
  for await (const chunk of uploadPack(repository, chunked(request), options)) chunks.push(chunk);
  return chunks;
}

test('a signal ends everything', async () => {
  const watch = watched();
  const controller = new AbortController();
  const output = uploadPack(watch.repository, watch.request(fetchRequest(`want ${tip}`, 'done')), {
    mode: 'stateless',
    protocolVersion: 2,
    limits: DEFAULT_LIMITS,
    signal: controller.signal,
  });
  await output.next();
  controller.abort(new GitError('ABORTED', 'gone'));
  await assert.rejects(
    async () => {
      for await (const _ of output);
    },
    { code: 'ABORTED' },
  );
  await settled(watch.open);
  assert.equal(watch.open(), 0);
});

const CONVERSATIONS: readonly (readonly [ProtocolVersion, Uint8Array])[] = [
  [0, packLines([`want ${tip} multi_ack_detailed side-band-64k`, '0000', `have ${first}`, '0000', 'done'])],
  [0, packLines([`want ${tip} side-band-64k no-progress`, 'deepen 2', '0000', `have ${MISSING}`, 'done'])],
  [2, packLines(['command=ls-refs', sha1, '0001', 'peel', 'symrefs', '0000'])],
  [2, fetchRequest(`want ${tip}`, `have ${first}`, 'no-progress', 'ofs-delta')],
  [2, concatBytes(fetchRequest(`want ${tip}`, `have ${MISSING}`), fetchRequest(`want ${tip}`, 'done'))],
];

test('any chunking of a request gives the same answer', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CONVERSATIONS),
      fc.constantFrom('stateless', 'stateful'),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }),
      async ([version, request], mode, cuts) => {
        const whole = readAnswer(await ask(repository, { version, mode, request }));
        const cut = readAnswer(await ask(repository, { version, mode, request, cuts }));
        assert.deepEqual([cut.lines, cut.pack], [whole.lines, whole.pack]);
      },
    ),
    { numRuns: 60 },
  );
});

test('random bytes, and requests with bytes changed, give an answer or a GitError', async () => {
  const mangled = fc
    .tuple(fc.constantFrom(...CONVERSATIONS), fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))))
    .map(([[version, request], changes]) => {
      const bytes = request.slice();
      for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
      return [version, bytes] as const;
    });
  const anything = fc.tuple(fc.constantFrom<ProtocolVersion>(0, 1, 2), fc.uint8Array({ maxLength: 200 }));
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(mangled, anything),
      fc.constantFrom('stateless', 'stateful'),
      async ([version, request], mode) => {
        try {
          await ask(repository, { version, mode, request });
        } catch (error) {
          assert.ok(isGitError(error), String(error));
        }
      },
    ),
    { numRuns: 300 },
  );
});
