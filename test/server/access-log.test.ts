import assert from 'node:assert/strict';
import test from 'node:test';
import { ANONYMOUS } from '../../src/server/access/subject.ts';
import { AccessNotes, formatAccess, formatSshAccess } from '../../src/server/access-log.ts';
import type { RequestSummary } from '../../src/transport/node/http-listener.ts';

const summary = (part: Partial<RequestSummary> = {}): RequestSummary => ({
  method: 'POST',
  target: '/a.git/git-upload-pack',
  client: { address: '203.0.113.7' },
  status: 200,
  sentBytes: 1234,
  durationMs: 15.4,
  complete: true,
  ...part,
});

const alice = { name: 'alice', groups: [], credential: { kind: 'token', id: '4fW2' } } as const;

test('who, from where, what, and what became of it', () => {
  assert.equal(
    formatAccess(summary(), { subject: alice, operation: 'fetch' }),
    '203.0.113.7 alice/token:4fW2 fetch POST /a.git/git-upload-pack 200 15ms 1234B',
  );
  assert.equal(
    formatAccess(summary({ complete: false }), { subject: ANONYMOUS, operation: 'fetch' }),
    '203.0.113.7 - fetch POST /a.git/git-upload-pack 200 15ms 1234B cut',
  );
  assert.equal(
    formatAccess(summary({ client: {}, target: '/a.git/info/refs?service=git-upload-pack' })),
    '- - - POST /a.git/info/refs?service=git-upload-pack 200 15ms 1234B',
  );
});

for (const target of [
  'http://alice:secret@host/a.git/info/refs',
  '/a.git/info/refs?private_token=secret',
  '/a.git/info/refs?service=git-upload-pack&private_token=secret',
  '/a.git/info/refs?service=git-upload-pack?secret',
  '/a.git/info/refs?service=secret',
]) {
  test(`no secret of ${target} is shown`, () => {
    assert.doesNotMatch(formatAccess(summary({ target })), /secret/);
  });
}

test('nothing that a terminal or a reader of lines would act on', () => {
  const subject = { name: 'eve\n127.0.0.1 root', groups: [] };
  const target = '/a\u001b[2J b\u202e';
  const line = formatAccess(summary({ target, method: 'GET' }), { subject, operation: 'fetch' });
  assert.equal(line, '203.0.113.7 eve?127.0.0.1?root fetch GET /a?[2J?b? 200 15ms 1234B');
  assert.ok(formatAccess(summary({ target: `/${'a'.repeat(10_000)}` })).length < 1000);
});

test('commands over SSH look alike', () => {
  const command = {
    service: 'git-receive-pack',
    path: "/a'b.git",
    exitCode: 0,
    durationMs: 15,
    sentBytes: 9,
  };
  assert.equal(
    formatSshAccess({ ...command, address: '::1', subject: alice }),
    "::1 alice/token:4fW2 push SSH git-receive-pack /a'b.git 0 15ms 9B",
  );
});

test('notes are found by the client of the exchange', () => {
  const notes = new AccessNotes();
  const [client, other] = [{ address: '::1' }, { address: '::1' }];
  notes.set(client, { subject: alice, operation: 'push' });
  assert.equal(notes.of(client)?.operation, 'push');
  assert.equal(notes.of(other), undefined);
  notes.set(undefined, { subject: alice, operation: 'push' });
});
