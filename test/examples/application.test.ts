import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Application } from '../../src/server/access/application.ts';
import {
  authenticateByApplication,
  createApplicationAuthorizer,
} from '../../src/server/access/application-authorizer.ts';
import { PushNotifier } from '../../src/server/access/push-notifier.ts';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { guardedServer } from '../support/guarded-server.ts';
import { problemsWith, type Schema } from '../support/json-schema.ts';
import { parseYaml } from '../support/yaml.ts';

const SECRET = 'what the two share';
const ALICE = ['alice', 'alice-0c4e9f4d1a7b'] as const;
const BOB = ['bob', 'bob-93b1f02cd85e'] as const;
const example = fileURLToPath(new URL('../../examples/application/application.mjs', import.meta.url));
const document = parseYaml(
  readFileSync(new URL('../../docs/application-api.yaml', import.meta.url), 'utf8'),
) as Schema;

interface Exchange {
  readonly path: string;
  readonly question: unknown;
  readonly status: number;
  readonly answer: unknown;
}

/** What went between server and application in all these tests. */
const exchanges: Exchange[] = [];
const printed: string[] = [];
let child: ChildProcess;
let relay: ReturnType<typeof createServer>;
let url: string;

/** The example as a user starts it, with somebody between it and the server who writes down what is said. */
before(async () => {
  child = spawn(process.execPath, [example, '0'], {
    env: { ...process.env, SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout
    ?.setEncoding('utf8')
    .on('data', (text: string) => void printed.push(...text.trim().split('\n')));
  const listening = await saying(/^listening on (.*)\/$/);
  relay = createServer((request, response) => {
    void forward(request, `${listening[1]}${request.url}`).then(({ status, text }) => {
      response.writeHead(status).end(text);
    });
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  url = `http://127.0.0.1:${(relay.address() as AddressInfo).port}`;
});

after(() => {
  child.kill();
  relay.closeAllConnections();
  relay.close();
});

/** Waits for a line of what the example prints. */
async function saying(pattern: RegExp): Promise<RegExpExecArray> {
  for (;;) {
    for (const line of printed) {
      const match = pattern.exec(line);
      if (match !== null) return match;
    }
    assert.equal(child.exitCode, null, 'the example has ended');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function forward(request: IncomingMessage, target: string): Promise<{ status: number; text: string }> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const question = Buffer.concat(chunks).toString('utf8');
  const { authorization = '' } = request.headers;
  const answer = await fetch(target, { method: 'POST', headers: { authorization }, body: question });
  const text = await answer.text();
  exchanges.push({
    path: request.url ?? '',
    question: JSON.parse(question) as unknown,
    status: answer.status,
    answer: text === '' ? undefined : (JSON.parse(text) as unknown),
  });
  return { status: answer.status, text };
}

async function served(t: test.TestContext) {
  const directory = await scratchDirectory(t);
  const root = join(directory, 'root');
  for (const name of ['open/docs', 'team/app', 'team/secret']) {
    git(directory, 'init', '-q', '--bare', '-b', 'main', join(root, `${name}.git`));
  }
  git(directory, 'init', '-q', '-b', 'main', 'work');
  const work = join(directory, 'work');
  git(work, 'commit', '-q', '--allow-empty', '-m', 'one');
  const application = new Application({ url, secret: SECRET });
  const lost: unknown[] = [];
  const notifier = new PushNotifier({ application, onError: (error) => void lost.push(error) });
  const server = await guardedServer(t, {
    root,
    authorizer: createApplicationAuthorizer(application),
    authenticate: (credentials, { address, signal }) =>
      authenticateByApplication(
        application,
        credentials.scheme === 'basic'
          ? { kind: 'password', user: credentials.user, secret: credentials.password }
          : { kind: 'token', user: '', secret: credentials.token },
        address,
        { signal },
      ),
    hooks: { postReceive: async (push) => notifier.notify(push) },
    create: true,
  });
  return { directory, root, work, server, notifier, lost };
}

test('who may, can: git pushes and clones with a token', async (t) => {
  const { work, directory, server } = await served(t);
  const pushed = await gitAsync(work, 'push', server.as(...ALICE, 'team/app.git'), 'HEAD:main');
  assert.equal(pushed.status, 0, pushed.stderr);
  const cloned = await gitAsync(directory, 'clone', '-q', server.as(...BOB, 'team/app'), 'clone');
  assert.equal(cloned.status, 0, cloned.stderr);
  assert.equal(git(join(directory, 'clone'), 'rev-parse', 'HEAD'), git(work, 'rev-parse', 'HEAD'));
  const open = await gitAsync(directory, 'ls-remote', `${server.url}/open/docs`);
  assert.equal(open.status, 0, open.stderr);
});

test('who may not, is told so; what may not be seen does not exist', async (t) => {
  const { work, directory, server } = await served(t);
  const refused = await gitAsync(work, 'push', server.as(...BOB, 'team/app'), 'HEAD:main');
  assert.match(refused.stderr, /You may not push here/);
  assert.match(refused.stderr, /403/);
  const hidden = await gitAsync(directory, 'ls-remote', server.as(...BOB, 'team/secret'));
  const absent = await gitAsync(directory, 'ls-remote', server.as(...BOB, 'team/absent'));
  assert.match(hidden.stderr, /repository '.*secret\/' not found/);
  assert.equal(hidden.stderr.replaceAll('secret', 'absent'), absent.stderr);
  for (const url of [`${server.url}/team/app`, server.as('alice', 'wrong', 'team/app')]) {
    const unknown = await gitAsync(directory, 'ls-remote', url);
    assert.match(unknown.stderr, /could not read Username|Authentication failed/);
  }
});

test('to make a repository is a right of its own', async (t) => {
  const { work, server } = await served(t);
  const refused = await gitAsync(work, 'push', server.as(...BOB, 'team/new.git'), 'HEAD:main');
  assert.match(refused.stderr, /You may not make this/);
  const made = await gitAsync(work, 'push', server.as(...ALICE, 'team/new'), 'HEAD:main');
  assert.equal(made.status, 0, made.stderr);
  const written = await gitAsync(work, 'push', server.as(...BOB, 'team/new'), 'HEAD:refs/heads/by-bob');
  assert.equal(written.status, 0, written.stderr);
});

test('a hidden repository and one that is not there answer with the same bytes', async (t) => {
  const { server } = await served(t);
  const authorization = `Basic ${Buffer.from(BOB.join(':')).toString('base64')}`;
  const ask = async (path: string): Promise<unknown> => {
    const answer = await fetch(`${server.url}${path}`, { headers: { authorization } });
    const headers = [...answer.headers].filter(([name]) => name !== 'date');
    return { status: answer.status, headers, body: await answer.text() };
  };
  for (const rest of ['info/refs?service=git-upload-pack', 'info/refs?service=git-receive-pack', 'HEAD']) {
    const hidden = await ask(`/team/secret/${rest}`);
    assert.deepEqual(hidden, await ask(`/team/absent/${rest}`));
    assert.equal((hidden as { status: number }).status, 404);
  }
});

test('refs are decided one by one, also those that a pack shows to be rewritten', async (t) => {
  const { work, server } = await served(t);
  const url = server.as(...ALICE, 'team/app');
  await gitAsync(work, 'push', url, 'HEAD:refs/heads/main', 'HEAD:refs/heads/other');
  git(work, 'commit', '-q', '--amend', '--allow-empty', '-m', 'another');
  const forced = await gitAsync(work, 'push', '--force', url, 'HEAD:main', 'HEAD:other');
  assert.match(forced.stderr, /! \[remote rejected\] HEAD -> main \(main is protected\)/);
  assert.match(forced.stderr, /\+ .* HEAD -> other \(forced update\)/);
  const deleted = await gitAsync(work, 'push', url, ':main', ':other');
  assert.match(deleted.stderr, /! \[remote rejected\] main \(main is protected\)/);
  assert.match(deleted.stderr, /- \[deleted\] +other/);
});

test('the application hears of a push, whoever made it', async (t) => {
  const { work, server, notifier, lost } = await served(t);
  const pushed = await gitAsync(work, 'push', server.as(...ALICE, 'team/app'), 'HEAD:refs/heads/told');
  assert.equal(pushed.status, 0, pushed.stderr);
  await notifier.drain(5_000);
  await saying(/^alice pushed team\/app create refs\/heads\/told$/);
  assert.deepEqual(lost, []);
});

test('without the secret it answers nobody', async () => {
  const answer = await fetch(`${url}/authorize`, { method: 'POST', body: '{}' });
  assert.equal(answer.status, 401);
  exchanges.pop();
});

test('all that was said is as the document describes it', () => {
  const paths = document.paths as Record<string, { readonly post: Schema }>;
  const asked = new Set(exchanges.map(({ path }) => path));
  assert.deepEqual([...asked].sort(), Object.keys(paths).sort());
  for (const { path, question, status, answer } of exchanges) {
    const { requestBody, responses } = (paths[path] as { post: Schema }).post as Record<string, Schema>;
    assert.deepEqual(problemsWith(question, schemaOf(requestBody as Schema), document), [], path);
    const described = (responses as Schema)[String(status)] as Schema | undefined;
    assert.ok(described !== undefined, `${path} answered ${status}`);
    if (described.content === undefined) assert.equal(answer, undefined);
    else assert.deepEqual(problemsWith(answer, schemaOf(described), document), [], path);
  }
});

test('the check of the document finds what it does not describe', () => {
  const schema = { $ref: '#/components/schemas/AccessRequest' };
  const fine = {
    subject: { name: 'alice', groups: [] },
    repository: 'team/app',
    operation: 'push',
    transport: 'ssh',
  };
  assert.deepEqual(problemsWith(fine, schema, document), []);
  for (const wrong of [
    { ...fine, operation: 'pull' },
    { ...fine, more: 1 },
    { ...fine, subject: { name: 'alice' } },
    { ...fine, subject: { name: 'alice', groups: [1] } },
    [],
    null,
  ]) {
    assert.notDeepEqual(problemsWith(wrong, schema, document), []);
  }
});

function schemaOf(described: Schema): Schema {
  return ((described.content as Schema)['application/json'] as Schema).schema as Schema;
}
