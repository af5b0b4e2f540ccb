import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concatBytes } from '../../../src/core/bytes.ts';
import { SHA1 } from '../../../src/core/object-id.ts';
import { formatReportStatus } from '../../../src/protocol/receive-pack/report-status.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';
import { unpackLines } from '../../support/packets.ts';

const command = (name: string) => refCommand(name, SHA1.zeroId, 'a'.repeat(40));

test('formatReportStatus() writes git’s lines and a flush', () => {
  const report = concatBytes(
    ...formatReportStatus('ok', [
      { command: command('refs/heads/main'), ok: true },
      { command: command('refs/heads/x'), ok: false, reason: 'non-fast-forward' },
    ]),
  );
  assert.deepEqual(unpackLines(report), [
    'unpack ok',
    'ok refs/heads/main',
    'ng refs/heads/x non-fast-forward',
    '0000',
  ]);
});

test('formatReportStatus() reports thousands of refs in chunks of bounded size', () => {
  const results = Array.from({ length: 5265 }, (_, i) => ({
    command: command(`refs/heads/a-rather-long-name-for-a-branch/${i}`),
    ok: true as const,
  }));
  const chunks = [...formatReportStatus('ok', results)];
  assert.ok(chunks.length > 1);
  for (const chunk of chunks) assert.ok(chunk.length <= 64 * 1024 + 100);
  assert.equal(unpackLines(concatBytes(...chunks)).length, 5267);
});

test('formatReportStatus() shortens the reason when the name leaves no room for it', () => {
  const name = 'é'.repeat(32_700);
  const reason = 'a reason that is too long to go with it, '.repeat(10);
  const report = concatBytes(...formatReportStatus('ok', [{ command: command(name), ok: false, reason }]));
  assert.match(unpackLines(report)[1] as string, / rejected$/);
});
