import assert from 'node:assert/strict';
import test from 'node:test';
import { isGitError } from '../../../src/core/errors.ts';
import { FairGate, type GateLimits, type Pass } from '../../../src/server/limits/fair-gate.ts';

const LIMITS: GateLimits = { running: 2, runningEach: 2, waiting: 10, waitMs: 60_000 };

/** Somebody at the gate, and where they are. */
function visitor(gate: FairGate, party: string, signal?: AbortSignal) {
  const visit: { pass?: Pass; error?: unknown } = {};
  gate.enter(party, signal).then(
    (pass) => (visit.pass = pass),
    (error: unknown) => (visit.error = error),
  );
  return visit;
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

test('two at a time, the third when one has left', async () => {
  const gate = new FairGate('clones', LIMITS);
  const [a, b, c] = [visitor(gate, 'a'), visitor(gate, 'b'), visitor(gate, 'c')];
  await settled();
  assert.ok(a.pass !== undefined && b.pass !== undefined && c.pass === undefined);
  assert.deepEqual([gate.running, gate.waiting], [2, 1]);
  b.pass.release();
  b.pass.release();
  await settled();
  assert.ok(c.pass !== undefined);
  assert.deepEqual([gate.running, gate.waiting], [2, 0]);
});

test('one who floods the gate waits behind itself', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1 });
  const first = visitor(gate, 'flood');
  const flood = [visitor(gate, 'flood'), visitor(gate, 'flood'), visitor(gate, 'flood')];
  const other = visitor(gate, 'other');
  await settled();
  const order: string[] = [];
  const all = [...flood.map((visit, i) => [`flood ${i}`, visit] as const), ['other', other] as const];
  let inside = first.pass as Pass;
  for (let turn = 0; turn < 4; turn++) {
    inside.release();
    await settled();
    const entered = all.find(([name, visit]) => visit.pass !== undefined && !order.includes(name));
    order.push(entered?.[0] as string);
    inside = entered?.[1].pass as Pass;
  }
  assert.deepEqual(order, ['flood 0', 'other', 'flood 1', 'flood 2']);
});

test('a party has its own ceiling, and does not block the others with it', async () => {
  const gate = new FairGate('clones', { ...LIMITS, runningEach: 1 });
  const [a, again, b] = [visitor(gate, 'a'), visitor(gate, 'a'), visitor(gate, 'b')];
  await settled();
  assert.ok(a.pass !== undefined && again.pass === undefined && b.pass !== undefined);
  a.pass.release();
  await settled();
  assert.ok(again.pass !== undefined);
});

test('a full queue sends away at once, and says when to come again', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1, waiting: 1, waitMs: 30_000 });
  visitor(gate, 'a');
  visitor(gate, 'b');
  await assert.rejects(gate.enter('c'), (error) => {
    assert.ok(isGitError(error, 'OVERLOADED'));
    assert.match(
      error.message,
      /^The server is busy: it serves 1 clones at a time, and too many wait already/,
    );
    assert.equal(error.detail.retryAfterSeconds, 30);
    return true;
  });
});

test('one who waits too long or goes away leaves the queue', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1, waitMs: 20 });
  const inside = await gate.enter('a');
  await assert.rejects(gate.enter('b'), { code: 'OVERLOADED' });
  const gone = new AbortController();
  const left = visitor(gate, 'c', gone.signal);
  gone.abort();
  await settled();
  assert.ok(isGitError(left.error, 'ABORTED'));
  await assert.rejects(gate.enter('d', AbortSignal.abort()), { code: 'ABORTED' });
  assert.deepEqual([gate.running, gate.waiting], [1, 0]);
  inside.release();
  (await gate.enter('e')).release();
  assert.equal(gate.running, 0);
});

test('with more room, those who wait come in', async () => {
  const gate = new FairGate('clones', { ...LIMITS, running: 1 });
  const visits = ['a', 'b', 'c'].map((party) => visitor(gate, party));
  gate.setLimits({ ...LIMITS, running: 3 });
  await settled();
  assert.ok(visits.every(({ pass }) => pass !== undefined));
});
