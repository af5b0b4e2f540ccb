/**
 * The hooks of a repository of files: programs of its hooks directory, and commands its configuration names.
 * Spec: githooks(5); git's hook.c where that is silent.
 *
 * Whoever can write that directory or the configuration can run programs as this process. So that nobody is made to
 * run a stranger's, those of a repository that belongs to another user are not run, and pushes they would
 * have judged are refused, as git refuses them (`safe.directory`).
 *
 * @module
 */
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { GitConfig } from '../../git-config.ts';
import type { HookCall, HookConversation, HookEvent, RepositoryHooks } from '../../push/repository-hooks.ts';
import { pathValue } from '../config/config-path.ts';
import { isSafeDirectory } from '../config/safe-directory.ts';
import { configuredHooks } from './configured-hooks.ts';
import { type Program, runProgram } from './run-program.ts';

export interface FilesHooksOptions {
  /** Run those of repositories that belong to others, too. */
  readonly anyOwner: boolean;
  /** What `~/` means. Default: the home of this process's user. */
  readonly home?: string | undefined;
}

export class FilesHooks implements RepositoryHooks {
  readonly #gitDirectory: string;
  readonly #hooksPath: string;
  readonly #config: GitConfig;
  readonly #anyOwner: boolean;
  readonly #home: string;
  #commands: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(gitDirectory: string, config: GitConfig, { anyOwner, home = homedir() }: FilesHooksOptions) {
    this.#gitDirectory = gitDirectory;
    const path = config.get('core.hooksPath');
    this.#hooksPath = (path && pathValue(path, home)) ?? 'hooks';
    this.#home = home;
    this.#config = config;
    this.#anyOwner = anyOwner;
  }

  has(event: HookEvent, onAdvice?: (text: string) => void): boolean {
    return this.#commandsOf(event).length > 0 || this.#find(event, onAdvice) !== undefined;
  }

  async run(event: HookEvent, call: HookCall): Promise<boolean> {
    if (!(await this.#isTrusted(call))) return false;
    let ok = true;
    for (const program of this.#programs(event, call)) {
      if (!(await runProgram(program, call))) ok = false;
    }
    return ok;
  }

  async converse<Result>(
    event: HookEvent,
    call: HookCall,
    talk: (hook: HookConversation) => Promise<Result>,
  ): Promise<{ readonly result: Result; readonly ok: boolean } | undefined> {
    const file = this.#find(event);
    if (file === undefined || !(await this.#isTrusted(call))) return undefined;
    let result: { readonly value: Result } | undefined;
    const program = { ...this.#frame(event, call), file: resolve(this.#gitDirectory, file), args: [] };
    const ok = await runProgram(program, call, async (hook) => {
      result = { value: await talk(hook) };
    });
    return result && { result: result.value, ok };
  }

  /** In git's order: those of the configuration first. Both streams of one go into one pipe, and stay in order. */
  #programs(event: HookEvent, call: HookCall): Program[] {
    const frame = this.#frame(event, call);
    const args = call.args ?? [];
    const programs = this.#commandsOf(event).map((command) => {
      const script = `exec 2>&1\n${command}${args.length > 0 ? ' "$@"' : ''}`;
      return { ...frame, file: 'sh', args: ['-c', script, command, ...args] };
    });
    const file = this.#find(event);
    if (file === undefined) return programs;
    // A name without a slash would be looked for in PATH.
    const path = file.includes('/') ? file : `./${file}`;
    return [...programs, { ...frame, file: 'sh', args: ['-c', 'exec "$0" "$@" 2>&1', path, ...args] }];
  }

  #frame(event: HookEvent, call: HookCall): Omit<Program, 'file' | 'args'> {
    return {
      directory: this.#gitDirectory,
      environment: hookEnvironment(call.environment),
      label: `the '${event}' hook`,
    };
  }

  #commandsOf(event: HookEvent): readonly string[] {
    this.#commands ??= configuredHooks(this.#config);
    return this.#commands.get(event) ?? [];
  }

  /** The path as git shows it to the program: relative to the git directory unless configured otherwise. */
  #find(event: HookEvent, onAdvice?: (text: string) => void): string | undefined {
    const path = join(this.#hooksPath, event);
    try {
      accessSync(resolve(this.#gitDirectory, path), constants.X_OK);
      return path;
    } catch (error) {
      const isIgnored = error instanceof Error && 'code' in error && error.code === 'EACCES';
      if (isIgnored && this.#config.getBoolean('advice.ignoredHook') !== false)
        onAdvice?.(ignoredAdvice(path));
      return undefined;
    }
  }

  async #isTrusted({ onOutput }: HookCall): Promise<boolean> {
    if (this.#anyOwner || isOurs(this.#gitDirectory)) return true;
    if (isSafeDirectory(this.#gitDirectory, this.#config, this.#home)) return true;
    await onOutput('error: detected dubious ownership in repository: its hooks are not run\n');
    return false;
  }
}

function ignoredAdvice(path: string): string {
  return (
    `hint: The '${path}' hook was ignored because it's not set as executable.\n` +
    'hint: You can disable this warning with `git config set advice.ignoredHook false`.\n'
  );
}

/** As git: the directory belongs to who we are, or to who we were before sudo. */
export function isOurs(directory: string): boolean {
  const user = process.geteuid?.();
  if (user === undefined) return true; // a system without owners
  const owner = statSync(directory, { throwIfNoEntry: false })?.uid;
  return owner === user || (user === 0 && process.env.SUDO_UID === String(owner));
}

/** Variables of this process that would lead git in a hook to another repository, or that only a push sets. */
const LOCAL_TO_REPOSITORY = [
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_PREFIX',
  'GIT_PUSH_OPTION_COUNT',
  'GIT_QUARANTINE_PATH',
  'GIT_WORK_TREE',
];

/** This process's own variables, GIT_DIR as git gives it, and those of the call. */
export function hookEnvironment(added: HookCall['environment']): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of LOCAL_TO_REPOSITORY) delete environment[name];
  return { ...environment, GIT_DIR: '.', ...added };
}
