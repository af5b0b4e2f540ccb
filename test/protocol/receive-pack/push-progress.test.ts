import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pushProgress } from '../../../src/protocol/receive-pack/push-progress.ts';

test('pushProgress() shows what git shows, and the connectivity check only when it takes long', () => {
  let text = '';
  let time = 0;
  const report = pushProgress(
    (more) => {
      text += more;
    },
    () => time,
  );
  report({ title: 'Receiving objects', done: 3, total: 3, finished: true });
  report({ title: 'Resolving deltas', done: 2, total: 2, finished: true });
  report({ title: 'Checking connectivity', done: 1, finished: false });
  report({ title: 'Checking connectivity', done: 3, finished: true });
  assert.equal(text, 'Resolving deltas: 100% (2/2), done.\n');
  time = 2500;
  report({ title: 'Checking connectivity', done: 9, finished: true });
  assert.match(text, /\nChecking connectivity: 9, done\.\n$/);
});
