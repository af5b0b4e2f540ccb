/**
 * A small application behind packwire: it knows people and their keys, decides what they may do, and hears of pushes.
 * Answers the questions of docs/application-api.yaml; a real one asks its database where this one looks into tables.
 *
 *     SECRET=… node application.mjs 9000
 *
 * and in the configuration of packwire: "application": { "url": "http://127.0.0.1:9000/", "secretFile": … }
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const sha256 = (text) => createHash('sha256').update(text).digest();

/** Tokens are long and random, so their hash without salt is enough to keep; passwords of people would need scrypt. */
const USERS = new Map([
  [
    'alice',
    {
      groups: ['developers'],
      token: sha256('alice-0c4e9f4d1a7b'),
      keys: ['SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU'],
    },
  ],
  ['bob', { groups: [], token: sha256('bob-93b1f02cd85e'), keys: [] }],
]);

const REPOSITORIES = new Map([
  ['open/docs', { readers: ['@all'], writers: ['@developers'], makers: [] }],
  ['team/app', { readers: ['@developers', 'bob'], writers: ['@developers'], makers: [] }],
  ['team/secret', { readers: ['alice'], writers: ['alice'], makers: [] }],
  ['team/new', { readers: ['@developers', 'bob'], writers: ['@developers', 'bob'], makers: ['@developers'] }],
]);

const PROTECTED = 'refs/heads/main';

/** One function a question: what it returns is the answer, `undefined` for "nobody" and "heard". */
const QUESTIONS = new Map([
  ['/authenticate', authenticate],
  ['/authorize', authorize],
  ['/authorize-changes', authorizeChanges],
  ['/post-receive', postReceive],
]);

/** Whose key, token or password is this? git sends tokens as passwords. */
function authenticate({ kind, user, secret, fingerprint }) {
  for (const [name, { groups, token, keys }] of USERS) {
    const isTheirs =
      kind === 'ssh-key'
        ? keys.includes(fingerprint)
        : (kind === 'token' || (kind === 'password' && user === name)) &&
          timingSafeEqual(sha256(secret), token);
    if (isTheirs) return { name, groups, credential: { id: `${kind} of ${name}` } };
  }
  return undefined;
}

/** May this happen? What somebody may not read, they are not told of either. */
function authorize({ subject, repository, operation, create = false }) {
  const rules = REPOSITORIES.get(repository);
  if (rules === undefined || !includes(rules.readers, subject)) return { allowed: false };
  const list = create ? rules.makers : operation === 'push' ? rules.writers : rules.readers;
  if (operation !== 'administer' && includes(list, subject)) return { allowed: true };
  return {
    allowed: false,
    visible: true,
    message: `You may not ${create ? 'make this' : `${operation} here`}`,
  };
}

/** May these refs change? Asked before the objects come, and again when it is known what is `forced`. */
function authorizeChanges({ changes }) {
  return {
    refusals: changes.map(({ name, kind, forced = false }) => {
      const rewrites = kind === 'delete' || forced;
      return name === PROTECTED && rewrites ? 'main is protected' : null;
    }),
  };
}

const heard = new Set();

/** This has happened. It may be told twice, under the same id. */
function postReceive({ id, subject, repository, changes }) {
  if (heard.has(id)) return undefined;
  heard.add(id);
  for (const { name, kind } of changes) console.log(`${subject.name} pushed ${repository} ${kind} ${name}`);
  return undefined;
}

function includes(list, { name, groups }) {
  return list.some(
    (one) => one === '@all' || one === name || (one.startsWith('@') && groups.includes(one.slice(1))),
  );
}

/** Only the server behind which it stands may ask. */
function isServer({ headers }, secret) {
  return timingSafeEqual(sha256(headers.authorization ?? ''), sha256(`Bearer ${secret}`));
}

const MAX_QUESTION_BYTES = 64 * 1024 * 1024; // all changes of a push are one question

async function readJson(request) {
  const chunks = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_QUESTION_BYTES) throw new Error('the question is too long');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

async function answer(request, response, secret) {
  if (!isServer(request, secret)) return response.writeHead(401).end();
  const question = QUESTIONS.get(request.url);
  if (question === undefined || request.method !== 'POST') return response.writeHead(404).end();
  const said = question(await readJson(request));
  if (said === undefined) return response.writeHead(204).end();
  return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said));
}

const { SECRET: secret = '' } = process.env;
if (secret === '') throw new Error('SECRET must hold what packwire and this application share');

const server = createServer((request, response) => {
  answer(request, response, secret).catch((error) => {
    console.error(error.message);
    response.writeHead(500).end(); // packwire takes it for no
  });
});
server.listen(Number(process.argv[2] ?? 9000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
});
