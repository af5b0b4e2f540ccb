/**
 * A repository that grows round by round and pushes with the real git, remembering what the server has promised.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { git, gitAsync } from '../support/git.ts';

/** What a ref may hold after a crash: one value once the server has said `ok`, two while it has not. */
type Allowed = ReadonlySet<string | undefined>;

interface Change {
  readonly ref: string;
  /** `undefined` deletes. */
  readonly id: string | undefined;
}

export class CrashClient {
  /** Pushes that exited with 0, and those that did not. */
  acknowledged = 0;
  unanswered = 0;
  readonly #directory: string;
  readonly #allowed = new Map<string, Allowed>();
  #round = 0;

  constructor(directory: string) {
    this.#directory = directory;
    git(directory, 'init', '-q', '-b', 'main');
  }

  /**
   * Several pushes at once: a small one to a branch that lives on, a large one to a new branch, an atomic one, a
   * deletion. Together they take every way through receive-pack.
   */
  async pushRound(url: string): Promise<void> {
    this.#round++;
    const small = this.#commit('refs/heads/main', 3);
    const large = this.#commit(`refs/heads/large-${this.#round}`, 150);
    const pair = this.#commit(`refs/heads/pair-${this.#round}`, 2);
    const pushes = [
      this.#push(url, [{ ref: 'refs/heads/main', id: small }]),
      this.#push(url, [{ ref: `refs/heads/large-${this.#round}`, id: large }]),
      this.#push(
        url,
        [
          { ref: `refs/heads/pair-${this.#round}`, id: pair },
          { ref: `refs/tags/pair-${this.#round}`, id: pair },
          { ref: 'refs/heads/pair', id: pair },
        ],
        '--atomic',
      ),
    ];
    const old = `refs/heads/large-${this.#round - 2}`;
    if (this.#mayExist(old)) pushes.push(this.#push(url, [{ ref: old, id: undefined }]));
    await Promise.all(pushes);
  }

  /**
   * Compare what the server has now with what it promised, and go on from there.
   *
   * @param held every ref of the server and its id
   * @returns one sentence for each broken promise
   */
  settle(held: ReadonlyMap<string, string>): string[] {
    const broken: string[] = [];
    for (const [ref, allowed] of this.#allowed) {
      const id = held.get(ref);
      if (!allowed.has(id)) broken.push(`${ref} holds ${id}, not ${[...allowed].join(' or ')}`);
      this.#allowed.set(ref, new Set([id]));
    }
    for (const ref of held.keys()) if (!this.#allowed.has(ref)) broken.push(`${ref} was never pushed`);
    return broken;
  }

  #mayExist(ref: string): boolean {
    const allowed = this.#allowed.get(ref);
    return allowed !== undefined && [...allowed].some((id) => id !== undefined);
  }

  async #push(url: string, changes: readonly Change[], ...options: readonly string[]): Promise<void> {
    for (const { ref, id } of changes) {
      this.#allowed.set(ref, new Set([...(this.#allowed.get(ref) ?? [undefined]), id]));
    }
    const refspecs = changes.map(({ ref, id }) => `+${id ?? ''}:${ref}`);
    const { status } = await gitAsync(this.#directory, 'push', '-q', ...options, url, ...refspecs);
    if (status !== 0) {
      this.unanswered++;
      return;
    }
    this.acknowledged++;
    for (const { ref, id } of changes) this.#allowed.set(ref, new Set([id]));
  }

  /** A commit of `files` new files on top of `main`'s last. */
  #commit(ref: string, files: number): string {
    const lines = [`commit ${ref}`, 'committer C <c@example.com> 1112911993 +0000', 'data 1', 'x'];
    if (this.#round > 1) lines.push('from refs/heads/main^0');
    for (let i = 0; i < files; i++) {
      const content = randomBytes(i === 0 ? 20_000 : 300).toString('base64');
      lines.push(`M 100644 inline round-${this.#round}/${files}/${i}`, `data ${content.length}`, content);
    }
    git({ cwd: this.#directory, input: `${lines.join('\n')}\n` }, 'fast-import', '--quiet', '--force');
    return git(this.#directory, 'rev-parse', ref).trim();
  }
}
