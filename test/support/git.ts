/**
 * The real git as oracle: run it in a scratch directory, away from the user's configuration.
 *
 * @module
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TestContext } from 'node:test';

/**
 * `PACKWIRE_FAST_PATHS=off`: every repository that git makes in a test says in its own configuration that bitmaps,
 * multi-pack-index and commit-graph are not to be used. Answers must stay the same; see `npm run test:fast-paths`.
 */
const HAS_FAST_PATHS = process.env.PACKWIRE_FAST_PATHS !== 'off';
const TEMPLATE = resolve(import.meta.dirname, 'templates/without-fast-paths');

/** A fixed author, clock and configuration, so that repositories made in tests have the same ids every time. */
export const GIT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  ...(HAS_FAST_PATHS ? {} : { GIT_TEMPLATE_DIR: TEMPLATE }),
  GIT_AUTHOR_NAME: 'A U Thor',
  GIT_AUTHOR_EMAIL: 'author@example.com',
  GIT_AUTHOR_DATE: '1112911993 -0700',
  GIT_COMMITTER_NAME: 'C O Mitter',
  GIT_COMMITTER_EMAIL: 'committer@example.com',
  GIT_COMMITTER_DATE: '1112911993 -0700',
};

export interface GitRun {
  readonly cwd: string;
  readonly input?: string | Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Run git and wait, blocking. @throws when it exits with anything but 0, with its stderr in the message */
export function git(run: GitRun | string, ...args: readonly string[]): string {
  return gitBytes(run, ...args).toString('utf8');
}

/** As {@link git}, for output that is no text. */
export function gitBytes(run: GitRun | string, ...args: readonly string[]): Buffer {
  const { cwd, input, env } = typeof run === 'string' ? { cwd: run, input: undefined, env: {} } : run;
  const result = spawnSync('git', args, {
    cwd,
    input: input ?? '',
    env: { ...GIT_ENVIRONMENT, ...env },
    maxBuffer: 1 << 30,
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`git ${args.join(' ')}: ${result.stderr.toString('utf8')}`);
  return result.stdout;
}

export interface GitResult {
  /** Exit code; 128 and above for git's own fatal errors. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run git beside this process (needed when this process is the server it talks to). Never throws for its exit code. */
export function gitAsync(run: GitRun | string, ...args: readonly string[]): Promise<GitResult> {
  const { cwd, input, env } = typeof run === 'string' ? { cwd: run, input: undefined, env: {} } : run;
  return new Promise((resolve, reject) => {
    const child = execFile(
      'git',
      args,
      { cwd, env: { ...GIT_ENVIRONMENT, ...env }, maxBuffer: 1 << 30 },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number') reject(error);
        else resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => undefined); // git may end without reading
    child.stdin?.end(input ?? '');
  });
}

/** An empty directory that is removed when the test ends. */
export async function scratchDirectory(context: Pick<TestContext, 'after'>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'packwire-test-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}
