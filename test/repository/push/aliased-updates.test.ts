import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHA1 } from '../../../src/core/object-id.ts';
import { checkAliasedUpdates } from '../../../src/repository/push/aliased-updates.ts';
import { CommandLedger } from '../../../src/repository/push/command-ledger.ts';
import { refCommand } from '../../../src/repository/push/ref-command.ts';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);
const REFS = [
  { name: 'refs/heads/alias', id: A, symbolicTarget: 'refs/heads/main' },
  { name: 'refs/heads/main', id: A },
];

function outcome(newOfAlias: string, newOfMain: string) {
  const ledger = new CommandLedger([
    refCommand('refs/heads/alias', A, newOfAlias),
    refCommand('refs/heads/main', A, newOfMain),
  ]);
  checkAliasedUpdates(ledger, REFS, () => {});
  return ledger;
}

test('the same change through a symbolic ref and its target is done once', () => {
  const ledger = outcome(B, B);
  assert.deepEqual(
    ledger.pending().map((command) => command.name),
    ['refs/heads/main'],
  );
  assert.equal(ledger.hasRefused(), false);
});

test('two different changes are refused both', () => {
  const ledger = outcome(B, SHA1.zeroId);
  assert.deepEqual(
    ledger.results().map((result) => (result.ok ? 'ok' : result.reason)),
    ['inconsistent aliased update', 'inconsistent aliased update'],
  );
});
