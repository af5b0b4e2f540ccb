import assert from 'node:assert/strict';
import test from 'node:test';
import {
  formatAccessToken,
  hashSecret,
  makeAccessToken,
  matchesSecret,
  parseAccessToken,
} from '../../../src/server/access/access-token.ts';
import {
  authenticateToken,
  type StoredToken,
  type TokenStore,
} from '../../../src/server/access/token-authenticator.ts';

test('a token is shown once, kept as a hash and found by its id', () => {
  const token = makeAccessToken();
  const text = formatAccessToken(token);
  assert.match(text, /^pw_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$/);
  assert.deepEqual(parseAccessToken(text), token);
  const hash = hashSecret(token.secret);
  assert.ok(matchesSecret(token.secret, hash));
  assert.ok(!matchesSecret(makeAccessToken().secret, hash));
  assert.ok(!hash.includes(token.secret));
});

test('what is no token is none', () => {
  const text = formatAccessToken(makeAccessToken());
  for (const other of [
    '',
    'pw_',
    text.slice(1),
    `${text}a`,
    `${text}\n`,
    text.replace('_', '-'),
    'hunter2',
  ]) {
    assert.equal(parseAccessToken(other), undefined);
  }
});

const NOW = Date.parse('2030-01-01T00:00:00Z');

/** A store of one token of alice, and the text of that token. */
function storeWith(stored: Partial<StoredToken>, users: Record<string, string[]> = { alice: ['devs'] }) {
  const token = makeAccessToken();
  const kept: StoredToken = { id: token.id, hash: hashSecret(token.secret), user: 'alice', ...stored };
  const store: TokenStore = {
    token: (id) => Promise.resolve(id === token.id ? kept : undefined),
    groupsOf: (user) => Promise.resolve(users[user]),
  };
  return { store, token, text: formatAccessToken(token) };
}

test('its owner is who asks, with the groups of now and the bounds of the token', async () => {
  const bounds = { scope: 'read', repositories: ['team/*'], expiresAt: NOW + 1 } as const;
  const { store, token, text } = storeWith(bounds);
  assert.deepEqual(await authenticateToken(store, text, NOW), {
    name: 'alice',
    groups: ['devs'],
    credential: { kind: 'token', id: token.id, ...bounds },
  });
});

test('wrong, unknown, expired and orphaned tokens are all nobody', async () => {
  const { store, token, text } = storeWith({ expiresAt: NOW });
  const wrong = formatAccessToken({ ...token, secret: makeAccessToken().secret });
  assert.equal(await authenticateToken(store, wrong, NOW - 1), undefined);
  assert.equal(await authenticateToken(store, formatAccessToken(makeAccessToken()), NOW - 1), undefined);
  assert.equal(await authenticateToken(store, text, NOW), undefined);
  const orphaned = storeWith({ user: 'mallory' });
  assert.equal(await authenticateToken(orphaned.store, orphaned.text, NOW), undefined);
});
