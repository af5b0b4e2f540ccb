/**
 * The hooks of the repository in one push: what each is given, and what its exit code means.
 * Spec: githooks(5); git-receive-pack(1), "Quarantine Environment".
 *
 * @module
 */
import type { ObjectFormat } from '../../core/object-id.ts';
import type { Identity, RefTransactionWatcher } from '../../refs/ref-database.ts';
import type { RefCommand } from './ref-command.ts';
import type {
  HookCall,
  HookConversation,
  HookEnvironment,
  HookEvent,
  RepositoryHooks,
} from './repository-hooks.ts';
import type { WorkTree } from './work-trees.ts';

export interface ExecutableHooksContext {
  readonly hooks: RepositoryHooks;
  readonly format: ObjectFormat;
  readonly pushOptions: readonly string[];
  readonly identity: Identity | undefined;
  readonly principal: unknown;
  readonly timeoutMs: number;
  /** Ends what runs before refs have moved; what is told of a push afterwards is left to finish. */
  readonly signal: AbortSignal;
  /** Variables that are set beside those of the push, for all hooks that hear of it as a whole. */
  readonly environment: () => HookEnvironment;
  /** Where history ends, as long as the repository's own file does not say it. */
  readonly shallowFile: () => string | undefined;
  readonly onOutput: (text: string) => Promise<void>;
}

export class ExecutableHooks {
  readonly #context: ExecutableHooksContext;
  readonly #advised = new Set<string>();

  constructor(context: ExecutableHooksContext) {
    this.#context = context;
  }

  /** @param quarantinePath where the pushed objects are; `undefined` when there are none */
  async preReceive(commands: readonly RefCommand[], quarantinePath: string | undefined): Promise<boolean> {
    const environment = { ...this.#pushEnvironment(), ...quarantineEnvironment(quarantinePath) };
    const { signal } = this.#context;
    return this.#run('pre-receive', { input: commandLines(commands), environment, signal });
  }

  async update({ name, oldId, newId }: RefCommand): Promise<boolean> {
    const { signal } = this.#context;
    return this.#run('update', { args: [name, oldId, newId], signal });
  }

  /** @returns `undefined` when nothing would listen */
  watcher(): RefTransactionWatcher | undefined {
    if (!this.#has('reference-transaction')) return undefined;
    const { zeroId } = this.#context.format;
    return (state, updates) => {
      const lines = updates.map(({ name, newId = zeroId, expected = zeroId }) => {
        const oldId = expected === 'any' ? zeroId : expected;
        return `${oldId} ${newId} ${name}\n`;
      });
      return this.#run('reference-transaction', { args: [state], input: lines });
    };
  }

  /** @returns why the work tree cannot be brought to what the command wants; `undefined` once it is there */
  async checkOut(tree: WorkTree, { newId }: RefCommand): Promise<string | undefined> {
    if (!this.#has('push-to-checkout')) return tree.checkOut(newId, this.#call({}));
    const environment = { GIT_DIR: tree.gitDirectory, GIT_WORK_TREE: tree.path };
    const ok = await this.#run('push-to-checkout', { args: [newId], environment });
    return ok ? undefined : 'push-to-checkout hook declined';
  }

  /** As {@link RepositoryHooks.converse}. */
  converse<Result>(
    talk: (hook: HookConversation) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly ok: boolean } | undefined> {
    const { hooks, signal } = this.#context;
    return hooks.converse('proc-receive', this.#call({ signal }), talk);
  }

  /** @param changed what was done */
  async postReceive(changed: readonly RefCommand[]): Promise<void> {
    await this.#run('post-receive', { input: commandLines(changed), environment: this.#pushEnvironment() });
  }

  /** @param done the commands that were carried out, as they were sent */
  async postUpdate(done: readonly RefCommand[]): Promise<void> {
    await this.#run('post-update', { args: done.map(({ name }) => name) });
  }

  #has(event: HookEvent): boolean {
    return this.#context.hooks.has(event, (advice) => {
      if (this.#advised.has(event)) return;
      this.#advised.add(event);
      void this.#context.onOutput(advice);
    });
  }

  /** @returns true when there is none */
  async #run(event: HookEvent, call: Partial<HookCall>): Promise<boolean> {
    if (!this.#has(event)) return true;
    return this.#context.hooks.run(event, this.#call(call));
  }

  #call(call: Partial<HookCall>): HookCall {
    const { onOutput, timeoutMs } = this.#context;
    const environment = { ...this.#pusherEnvironment(), ...call.environment };
    return { ...call, environment, onOutput, timeoutMs };
  }

  #pusherEnvironment(): HookEnvironment {
    const { identity, principal } = this.#context;
    const shallowFile = this.#context.shallowFile();
    return {
      ...(shallowFile !== undefined && { GIT_SHALLOW_FILE: shallowFile }),
      ...(identity && { GIT_COMMITTER_NAME: identity.name, GIT_COMMITTER_EMAIL: identity.email }),
      ...(typeof principal === 'string' && { REMOTE_USER: principal }),
    };
  }

  #pushEnvironment(): HookEnvironment {
    const { pushOptions, environment } = this.#context;
    const options = pushOptions.map((option, index) => [`GIT_PUSH_OPTION_${index}`, option]);
    return {
      ...Object.fromEntries(options),
      GIT_PUSH_OPTION_COUNT: String(pushOptions.length),
      ...environment(),
    };
  }
}

function* commandLines(commands: readonly RefCommand[]): Generator<string, undefined> {
  for (const { oldId, newId, name } of commands) yield `${oldId} ${newId} ${name}\n`;
}

/** With it git reads and writes in the quarantine, has the rest of the repository behind it, and refuses to move refs. */
function quarantineEnvironment(quarantine: string | undefined): HookEnvironment {
  if (quarantine === undefined) return {};
  const objects = quarantine.slice(0, quarantine.lastIndexOf('/'));
  return {
    GIT_QUARANTINE_PATH: quarantine,
    GIT_OBJECT_DIRECTORY: quarantine,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: quoteAlternate(objects),
  };
}

/** Paths in that list are divided by colons; one in quotes may have its own. */
function quoteAlternate(path: string): string {
  return /^"|:/.test(path) ? `"${path.replace(/["\\]/g, '\\$&')}"` : path;
}
