import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concatBytes } from '../../../src/core/bytes.ts';
import { encodePacket, FLUSH_PACKET } from '../../../src/protocol/pkt-line.ts';
import { talkToProcReceive } from '../../../src/protocol/receive-pack/proc-receive.ts';
import { formatReportStatus } from '../../../src/protocol/receive-pack/report-status.ts';
import { type RefCommand, refCommand } from '../../../src/repository/push/ref-command.ts';
import { unpackLines } from '../../support/packets.ts';
import { chunked } from '../../support/streams.ts';

const ZERO = '0'.repeat(40);
const TIP = 'a'.repeat(40);
const OTHER = 'b'.repeat(40);
const TOPIC = refCommand('refs/for/main/topic', ZERO, TIP);
const SECOND = refCommand('refs/for/main/second', ZERO, TIP);

interface Talk {
  /** Default: one that speaks version 1. */
  readonly greeting?: readonly string[];
  /** `undefined` for a hook that ends before it answers. */
  readonly report?: readonly string[] | undefined;
  readonly commands?: readonly RefCommand[];
  readonly pushOptions?: readonly string[] | undefined;
  readonly atomic?: boolean;
}

async function talk({
  greeting = ['version=1'],
  report,
  commands = [TOPIC],
  pushOptions,
  atomic = false,
}: Talk) {
  const section = (lines: readonly string[]) => [...lines.map((line) => encodePacket(line)), FLUSH_PACKET];
  const output = concatBytes(...section(greeting), ...(report === undefined ? [] : section(report)));
  const written: Uint8Array[] = [];
  const errors: string[] = [];
  const outcome = await talkToProcReceive(
    {
      commands,
      pushOptions,
      atomic,
      isKnown: (name) => name === 'refs/heads/main',
      sayError: (text) => errors.push(text),
    },
    {
      output: chunked(output, [3]),
      write: async (bytes) => {
        written.push(bytes);
        return true;
      },
    },
  );
  const answers = [...outcome.answers].map(([{ name }, answer]) => [name, answer]);
  return { written: unpackLines(concatBytes(...written)), errors, answers, failed: outcome.failed };
}

test('the hook is told the features, the commands, and the options it wants', async () => {
  const { written, failed } = await talk({
    greeting: ['version=1\0push-options'],
    report: ['ok refs/for/main/topic', 'ok refs/for/main/second'],
    commands: [TOPIC, SECOND],
    pushOptions: ['a', 'b'],
    atomic: true,
  });
  assert.deepEqual(written, [
    String.raw`version=1\0atomic push-options`,
    '0000',
    `${ZERO} ${TIP} refs/for/main/topic`,
    `${ZERO} ${TIP} refs/for/main/second`,
    '0000',
    'a',
    'b',
    '0000',
  ]);
  assert.equal(failed, false);
});

describe('the answer', () => {
  const name = TOPIC.name;
  for (const [report, answer, error] of [
    [[`ok ${name}`], { kind: 'ok', reports: [] }, undefined],
    [[`ng ${name} not so`], { kind: 'refused', reason: 'not so' }, undefined],
    [[`ng ${name}`], { kind: 'refused', reason: 'failed' }, undefined],
    [[`ok ${name}`, 'option fall-through'], { kind: 'fall-through' }, undefined],
    [
      [
        `ok ${name}`,
        'option refname refs/pull/1',
        `option old-oid ${OTHER}`,
        'option forced-update',
        `ok ${name}`,
        'option refname refs/pull/2',
      ],
      {
        kind: 'ok',
        reports: [{ refName: 'refs/pull/1', oldId: OTHER, isForced: true }, { refName: 'refs/pull/2' }],
      },
      undefined,
    ],
    [[], { kind: 'refused', reason: 'proc-receive failed to report status' }, undefined],
    [
      ['ok'],
      { kind: 'refused', reason: 'proc-receive failed to report status' },
      "proc-receive reported incomplete status line: 'ok'",
    ],
    [
      ['option refname x', 'option refname y'],
      { kind: 'refused', reason: 'proc-receive failed to report status' },
      "proc-receive reported 'option' without a matching 'ok/ng' directive",
    ],
    [
      ['ok refs/heads/main', 'ok refs/none'],
      { kind: 'refused', reason: 'proc-receive failed to report status' },
      'proc-receive reported status on unexpected ref: refs/heads/main\nproc-receive reported status on unknown ref: refs/none',
    ],
  ] as const) {
    test(JSON.stringify(report.map((line) => line.replace(OTHER, '<id>'))), async () => {
      const said = await talk({ report });
      assert.deepEqual(said.answers, [[name, answer]]);
      assert.deepEqual(said.errors, error === undefined ? [] : [error]);
      assert.equal(said.failed, answer.kind === 'refused');
    });
  }

  for (const [what, hook, error] of [
    ['a hook that ends before it answers', {}, 'proc-receive exited abnormally'],
    ['another version', { greeting: ['version=2'] }, "proc-receive version '2' is not supported"],
  ] as const) {
    test(`${what}: no command has an answer`, async () => {
      assert.deepEqual(
        await talk(hook).then(({ errors, answers, failed }) => ({ errors, answers, failed })),
        {
          errors: [error],
          answers: [],
          failed: true,
        },
      );
    });
  }
});

test('the report of version 2 says what was done in place of a command', () => {
  const reports = [
    { refName: 'refs/pull/1', oldId: OTHER, newId: TIP, isForced: true },
    { refName: 'refs/pull/2' },
  ];
  const results = [{ command: TOPIC, ok: true, reports }] as const;
  const lines = (withReports: boolean) =>
    unpackLines(concatBytes(...formatReportStatus('ok', results, withReports)));
  assert.deepEqual(lines(false), ['unpack ok', `ok ${TOPIC.name}`, '0000']);
  assert.deepEqual(lines(true), [
    'unpack ok',
    `ok ${TOPIC.name}`,
    'option refname refs/pull/1',
    `option old-oid ${OTHER}`,
    `option new-oid ${TIP}`,
    'option forced-update',
    `ok ${TOPIC.name}`,
    'option refname refs/pull/2',
    '0000',
  ]);
});
