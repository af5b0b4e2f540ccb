/**
 * One user of a server with the real git: clones, fetches, pushes, and sometimes is gone in the middle of it.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type GitResult, git } from '../../support/git.ts';
import { Acknowledged } from '../support/acknowledged.ts';
import { politeGit } from '../support/polite-git.ts';

/** What is done, and how often among all that is done. */
const WEIGHTS = {
  'ls-remote': 15,
  fetch: 25,
  push: 25,
  'forced push': 8,
  deletion: 5,
  'full clone': 4,
  'shallow clone': 6,
  'blobless clone': 4,
  archive: 4,
  'vanishing clone': 4,
  'vanishing push': 4,
} as const;

export type Operation = keyof typeof WEIGHTS;
export const OPERATIONS = Object.keys(WEIGHTS) as Operation[];

export interface Outcome {
  readonly operation: Operation;
  readonly ms: number;
  /** `turned away`: the server was too busy, and said so. */
  readonly kind: 'done' | 'turned away' | 'failed';
  /** What git said of it. */
  readonly words: string;
}

export interface SoakClientOptions {
  /** An empty directory. */
  readonly directory: string;
  /** Where the repository is served, over each transport that it is served over. The first one is HTTP. */
  readonly urls: readonly string[];
  /** Where archives are made. */
  readonly archiveUrl: string;
  readonly number: number;
  /** For GIT_SSH_COMMAND, when some URL is of SSH. */
  readonly sshCommand?: string | undefined;
}

const BRANCHES = 4;
const LONGEST_STAY_MS = 1_500;
/** How git words 429, 503, and what we say elsewhere. */
const TURNED_AWAY = /returned error: (429|503)|The server is busy|too many requests/i;

export class SoakClient {
  readonly promises = new Acknowledged();
  readonly #options: SoakClientOptions;
  readonly #repository: string;
  readonly #environment: Readonly<Record<string, string>>;
  /** Branches of its own on the server. */
  readonly #held = new Map<string, string>();
  #count = 0;

  constructor(options: SoakClientOptions) {
    this.#options = options;
    this.#repository = join(options.directory, 'repository.git');
    const { sshCommand } = options;
    this.#environment = sshCommand === undefined ? {} : { GIT_SSH_COMMAND: sshCommand };
    git('/', 'init', '-q', '--bare', this.#repository);
  }

  /** Do one thing, by chance. Never throws for what git or the server does. */
  async step(): Promise<Outcome> {
    const operation = chosen();
    const began = performance.now();
    const result = await this.#run(operation);
    const ms = performance.now() - began;
    const words = result.stderr.trim();
    if (result.status === 0) return { operation, ms, kind: 'done', words: '' };
    return { operation, ms, kind: TURNED_AWAY.test(words) ? 'turned away' : 'failed', words };
  }

  #run(operation: Operation): Promise<GitResult> {
    switch (operation) {
      case 'ls-remote':
        return this.#lsRemote();
      case 'fetch':
        return this.#fetch();
      case 'push':
        return this.#push(this.#branch(), false);
      case 'forced push':
        return this.#push(this.#branch(), true);
      case 'deletion':
        return this.#delete(this.#branch());
      case 'full clone':
        return this.#clone();
      case 'shallow clone':
        return this.#clone('--depth=1');
      case 'blobless clone':
        return this.#clone('--filter=blob:none');
      case 'archive':
        return this.#git(
          'archive',
          `--remote=${this.#options.archiveUrl}`,
          '-o',
          '/dev/null',
          '--format=tar',
          'HEAD',
        );
      case 'vanishing clone':
        return this.#vanish((signal) => this.#cloneInto(this.#scratch(), signal));
      case 'vanishing push':
        return this.#vanish((signal) => this.#pushAside(signal));
    }
  }

  /** Its own branches must be there as they were acknowledged. */
  async #lsRemote(): Promise<GitResult> {
    const prefix = `refs/heads/soak-${this.#options.number}/`;
    const result = await this.#git('ls-remote', this.#url(), `${prefix}*`);
    if (result.status !== 0) return result;
    const found = new Map(
      result.stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t').reverse() as [string, string]),
    );
    const [broken] = this.promises.broken(found);
    return broken === undefined
      ? result
      : { status: 1, stdout: '', stderr: `a promise was broken: ${broken}` };
  }

  #fetch(): Promise<GitResult> {
    return this.#git('fetch', '-q', this.#url(), '+refs/heads/*:refs/remotes/origin/*');
  }

  async #push(branch: string, forced: boolean): Promise<GitResult> {
    const held = this.#held.get(branch);
    const id = this.#commit(forced ? undefined : held);
    this.promises.attempt(branch, id);
    const result = await this.#git('push', '-q', this.#url(), `${forced ? '+' : ''}${id}:${branch}`);
    this.#settle(branch, id, held, result);
    return result;
  }

  async #delete(branch: string): Promise<GitResult> {
    const held = this.#held.get(branch);
    if (held === undefined) return this.#push(branch, false);
    this.promises.attempt(branch, undefined);
    const result = await this.#git('push', '-q', this.#url(), `:${branch}`);
    this.#settle(branch, undefined, held, result);
    return result;
  }

  #settle(branch: string, id: string | undefined, held: string | undefined, { status }: GitResult): void {
    if (status !== 0) {
      this.promises.refuse(branch, held);
      return;
    }
    this.promises.acknowledge(branch, id);
    if (id === undefined) this.#held.delete(branch);
    else this.#held.set(branch, id);
  }

  async #clone(...options: readonly string[]): Promise<GitResult> {
    const target = this.#scratch();
    try {
      return await this.#git('clone', '-q', '--bare', ...options, this.#url(), target);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }

  async #cloneInto(target: string, signal: AbortSignal): Promise<GitResult> {
    try {
      const run = { cwd: this.#options.directory, env: this.#environment, signal };
      return await politeGit(run, 'clone', '-q', '--bare', this.#url(), target);
    } finally {
      rmSync(target, { recursive: true, force: true });
    }
  }

  /** To a branch of which nobody promises anything. */
  #pushAside(signal: AbortSignal): Promise<GitResult> {
    const id = this.#commit(undefined);
    const run = { cwd: this.#repository, env: this.#environment, signal };
    return politeGit(run, 'push', '-q', this.#url(), `+${id}:refs/heads/vanished-${this.#options.number}`);
  }

  /** What it is told of does not matter: it is not there to hear it. */
  async #vanish(work: (signal: AbortSignal) => Promise<GitResult>): Promise<GitResult> {
    const gone = new AbortController();
    const timer = setTimeout(() => gone.abort(), Math.random() * LONGEST_STAY_MS);
    const { stdout } = await work(gone.signal);
    clearTimeout(timer);
    return { status: 0, stdout, stderr: '' };
  }

  /** A few files on top of `parent`. */
  #commit(parent: string | undefined): string {
    const ref = `refs/made/${++this.#count}`;
    const lines = [
      `commit ${ref}`,
      `committer S <s@example.com> ${1112911993 + this.#count} +0000`,
      'data 1',
      'x',
    ];
    if (parent !== undefined) lines.push(`from ${parent}`);
    for (let i = 0; i < 5; i++) {
      const content = randomBytes(Math.floor(Math.random() * 10_000)).toString('base64');
      lines.push(`M 100644 inline soak/${this.#count % 50}/${i}`, `data ${content.length}`, content);
    }
    git({ cwd: this.#repository, input: `${lines.join('\n')}\n` }, 'fast-import', '--quiet', '--force');
    const id = git(this.#repository, 'rev-parse', ref).trim();
    git(this.#repository, 'update-ref', '-d', ref);
    return id;
  }

  #branch(): string {
    return `refs/heads/soak-${this.#options.number}/${Math.floor(Math.random() * BRANCHES)}`;
  }

  #url(): string {
    const { urls } = this.#options;
    return urls[Math.floor(Math.random() * urls.length)] as string;
  }

  #scratch(): string {
    return join(this.#options.directory, `clone-${++this.#count}`);
  }

  #git(...args: readonly string[]): Promise<GitResult> {
    return politeGit({ cwd: this.#repository, env: this.#environment }, ...args);
  }
}

function chosen(): Operation {
  const total = Object.values(WEIGHTS).reduce((sum, weight) => sum + weight, 0);
  let at = Math.random() * total;
  for (const operation of OPERATIONS) {
    at -= WEIGHTS[operation];
    if (at < 0) return operation;
  }
  return 'ls-remote';
}
