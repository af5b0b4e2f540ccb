import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type TestContext } from 'node:test';
import { Application } from '../../../src/server/access/application.ts';
import {
  authenticateByApplication,
  createApplicationAuthorizer,
} from '../../../src/server/access/application-authorizer.ts';
import type { AccessRequest, RefChange } from '../../../src/server/access/authorizer.ts';

interface Asked {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

type Answer = (asked: Asked, response: ServerResponse) => void;

async function application(
  t: TestContext,
  answer: Answer,
  options: { timeoutMs?: number; retries?: number; maxRunning?: number } = {},
) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { authorization } = request.headers;
      asked.push({
        path: request.url ?? '',
        authorization,
        body: JSON.parse(body) as Record<string, unknown>,
      });
      answer(asked.at(-1) as Asked, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/git`;
  return { asked, application: new Application({ url, secret: 'between us', ...options }) };
}

async function text(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const json =
  (value: unknown): Answer =>
  (_asked, response) =>
    response.end(JSON.stringify(value));
const status =
  (code: number): Answer =>
  (_asked, response) =>
    response.writeHead(code).end('no');

const request: AccessRequest = {
  subject: { name: 'alice', groups: ['devs'], credential: { kind: 'token', id: 'abc' } },
  repository: 'team/app',
  operation: 'push',
  transport: 'ssh',
  address: '203.0.113.7',
};
const change: RefChange = {
  name: 'refs/heads/main',
  kind: 'create',
  oldId: '0'.repeat(40),
  newId: '1'.repeat(40),
};

test('the application decides, and hears who asks and what', async (t) => {
  const { asked, application: app } = await application(t, json({ allowed: true }));
  assert.deepEqual(await createApplicationAuthorizer(app).decide(request), { allowed: true });
  assert.equal(asked[0]?.path, '/git/authorize');
  assert.equal(asked[0]?.authorization, 'Bearer between us');
  assert.deepEqual(asked[0]?.body, JSON.parse(JSON.stringify(request)));
});

test('its no is a no, with its words', async (t) => {
  const { application: app } = await application(
    t,
    json({ allowed: false, visible: true, message: 'Frozen' }),
  );
  const decision = await createApplicationAuthorizer(app).decide(request);
  assert.deepEqual(decision, { allowed: false, visible: true, message: 'Frozen' });
});

test('all changes of a push are one question', async (t) => {
  const { asked, application: app } = await application(t, json({ refusals: [null, 'not on Fridays'] }));
  const changes = [change, { ...change, name: 'refs/heads/b', kind: 'delete' as const }];
  assert.deepEqual(await createApplicationAuthorizer(app).decideChanges(request, changes), [
    undefined,
    'not on Fridays',
  ]);
  assert.deepEqual(asked[0]?.body.changes, changes);
});

test('whose key is this', async (t) => {
  const known = { name: 'alice', groups: ['devs'], credential: { id: 'laptop', scope: 'read' } };
  const { application: app } = await application(t, json(known));
  const evidence = { kind: 'ssh-key', user: 'git', fingerprint: 'SHA256:x' } as const;
  assert.deepEqual(await authenticateByApplication(app, evidence, undefined), {
    name: 'alice',
    groups: ['devs'],
    credential: {
      kind: 'ssh-key',
      id: 'laptop',
      scope: 'read',
      repositories: undefined,
      expiresAt: undefined,
    },
  });
  const nobody = await application(t, status(204));
  assert.equal(await authenticateByApplication(nobody.application, evidence, undefined), undefined);
});

test('an answer that says nothing clear allows nothing', async (t) => {
  const unclear: readonly Answer[] = [
    json({}),
    json({ allowed: 'yes' }),
    json([true]),
    json(null),
    status(200),
    status(204),
    status(302),
    status(403),
    status(500),
    (_asked, response) => response.end('x'.repeat(5_000_000)),
  ];
  for (const answer of unclear) {
    const { application: app } = await application(t, answer);
    await assert.rejects(createApplicationAuthorizer(app).decide(request), { code: 'ACCESS_DENIED' });
  }
  for (const refusals of [[], [null, null], [1], 'no']) {
    const { application: app } = await application(t, json({ refusals }));
    const deciding = createApplicationAuthorizer(app).decideChanges(request, [change]);
    await assert.rejects(deciding, { code: 'ACCESS_DENIED' });
  }
});

test('one that is away for a moment is asked again', async (t) => {
  const { asked, application: app } = await application(t, (_asked, response) =>
    asked.length < 3 ? status(503)(_asked, response) : json({ allowed: true })(_asked, response),
  );
  assert.deepEqual(await createApplicationAuthorizer(app).decide(request), { allowed: true });
  assert.equal(asked.length, 3);
});

test('one that hangs is given up, and nothing is allowed', async (t) => {
  const { asked, application: app } = await application(t, () => undefined, { timeoutMs: 30, retries: 1 });
  await assert.rejects(createApplicationAuthorizer(app).decide(request), {
    code: 'OVERLOADED',
    message: 'Cannot decide about access now: try again later',
  });
  assert.equal(asked.length, 2);
  const nowhere = new Application({ url: 'http://127.0.0.1:1/', secret: 'x', retries: 0 });
  await assert.rejects(createApplicationAuthorizer(nowhere).decide(request), { code: 'OVERLOADED' });
});

test('a client that goes away ends the question', async (t) => {
  const { application: app } = await application(t, () => undefined);
  const gone = new AbortController();
  const deciding = createApplicationAuthorizer(app).decide(request, { signal: gone.signal });
  setTimeout(() => gone.abort(), 10);
  await assert.rejects(deciding, { code: 'ABORTED' });
});

test('the secret goes to https or this machine only, is a header and stays out of messages', () => {
  const make = (url: string, secret = 'between us', plainHttp = false): Application =>
    new Application({ url, secret, plainHttp });
  for (const url of [
    'https://app.example.com',
    'http://127.9.9.9:80/a',
    'http://[::1]/',
    'http://localhost',
  ]) {
    make(url);
  }
  make('http://app.internal/', 'between us', true);
  const refused: readonly (readonly [url: string, secret?: string])[] = [
    ['http://app.example.com/'],
    ['http://127.0.0.1.example.com/'],
    ['http://10.0.0.1/'],
    ['ftp://127.0.0.1/'],
    ['file:///etc/passwd'],
    ['nowhere'],
    ['https://me:hunter2@app.example.com/'],
    ['https://app.example.com/?key=hunter2'],
    ['https://app.example.com/#hunter2'],
    ['https://app.example.com/', ''],
    ['https://app.example.com/', 'hunter2\r\nhost: evil'],
    ['https://app.example.com/', ' hunter2'],
    ['https://app.example.com/', 'hünter2'],
  ];
  for (const [url, secret] of refused) {
    assert.throws(
      () => make(url, secret),
      (error: Error & { code?: string }) =>
        error.code === 'INVALID_ARGUMENT' && !/h.nter2/.test(error.message),
    );
  }
});

test('a redirect is followed nowhere', async (t) => {
  const { asked, application: app } = await application(t, (_asked, response) =>
    response.writeHead(307, { location: '/git/authorize' }).end(),
  );
  await assert.rejects(createApplicationAuthorizer(app).decide(request), { code: 'ACCESS_DENIED' });
  assert.equal(asked.length, 1);
});

test('one address that floods the application waits behind itself', async (t) => {
  const { asked, application: app } = await application(t, () => undefined, {
    timeoutMs: 200,
    retries: 0,
    maxRunning: 4,
  });
  const decide = (address: string): Promise<unknown> =>
    createApplicationAuthorizer(app)
      .decide({ ...request, address })
      .catch((error: { code: string }) => error.code);
  const flood = Array.from({ length: 100 }, () => decide('198.51.100.1'));
  const other = decide('203.0.113.9');
  const answers = await Promise.all([...flood, other]);
  assert.ok(answers.every((code) => code === 'OVERLOADED'));
  assert.ok(asked.some(({ body }) => body.address === '203.0.113.9'));
});

test('nobody can be called what a log, a reflog or a rule would take for something else', async (t) => {
  for (const name of ['', '@all', '@users', 'a\nb', 'a\x1b[2J', 'a\u0085b', 'a'.repeat(256)]) {
    const { application: app } = await application(t, json({ name }));
    const asking = authenticateByApplication(app, { kind: 'token', user: '', secret: 's' }, undefined);
    await assert.rejects(asking, { code: 'ACCESS_DENIED' });
  }
});

test('its sentences reach a terminal on one line', async (t) => {
  const message = 'Frozen\n\x1b]0;owned\x07';
  const { application: app } = await application(t, json({ allowed: false, visible: true, message }));
  const decision = await createApplicationAuthorizer(app).decide(request);
  assert.deepEqual(decision, { allowed: false, visible: true, message: 'Frozen??]0;owned?' });
});

test('a token that stands as the user name does not become what logs show', async (t) => {
  const { application: app } = await application(t, json({ name: 'alice' }));
  const evidence = { kind: 'password', user: 'ghp_secret', secret: 'x-oauth-basic' } as const;
  const subject = await authenticateByApplication(app, evidence, undefined);
  assert.doesNotMatch(JSON.stringify(subject), /secret|oauth/);
  assert.equal(subject?.credential?.id, 'alice');
});

test('what a credential is not good for, it is not, whatever the application answers', async (t) => {
  const { asked, application: app } = await application(t, json({ allowed: true, refusals: [null] }));
  const authorizer = createApplicationAuthorizer(app);
  const withBounds = (bounds: object): AccessRequest => ({
    ...request,
    subject: { ...request.subject, credential: { kind: 'token', id: 'abc', ...bounds } },
  });
  const toRead = withBounds({ scope: 'read' });
  const refused = { allowed: false, visible: true, message: 'The token abc may read only' };
  assert.deepEqual(await authorizer.decide(toRead), refused);
  assert.equal(asked.at(-1)?.body.operation, 'fetch');
  assert.deepEqual(await authorizer.decideChanges(toRead, [change]), ['The token abc may read only']);
  assert.deepEqual(await authorizer.decide({ ...toRead, operation: 'fetch' }), { allowed: true });
  for (const bounds of [{ expiresAt: 1 }, { repositories: ['other/*'] }]) {
    const decision = await authorizer.decide(withBounds(bounds));
    assert.equal(!decision.allowed && decision.visible, false);
    assert.equal((await authorizer.decideChanges(withBounds(bounds), [change])).length, 1);
  }
  assert.equal(asked.length, 2);
});
