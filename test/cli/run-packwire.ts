/**
 * The packwire command from its source, as a child process or, for speed, in this one.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { packwire } from '../../src/cli/packwire.ts';
import { GIT_ENVIRONMENT } from '../support/git.ts';

export const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
export const TSX = fileURLToPath(import.meta.resolve('tsx'));

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly input?: Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Start `packwire` as its users do. */
export function spawnPackwire(args: readonly string[], { cwd, env }: RunOptions): ChildProcess {
  return spawn(process.execPath, ['--import', TSX, MAIN, ...args], {
    cwd,
    env: { ...GIT_ENVIRONMENT, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
}

/** Run it to its end. */
export async function runPackwire(args: readonly string[], options: RunOptions): Promise<CommandResult> {
  const child = spawnPackwire(args, options);
  child.stdin?.on('error', () => undefined); // it may end without reading
  child.stdin?.end(options.input ?? '');
  const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? -1));
  });
  return { status, stdout: await stdout, stderr: await stderr };
}

/** As {@link runPackwire}, in this process: much faster, but nothing here is a real pipe. */
export async function runHere(
  args: readonly string[],
  { cwd, input, env }: RunOptions,
): Promise<CommandResult> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  stdin.end(input ?? '');
  const [written, complained] = [text(stdout), text(stderr)];
  const status = await packwire(args, {
    input: stdin,
    output: stdout,
    errors: stderr,
    environment: env ?? {},
    directory: cwd,
    isTerminal: false,
  });
  stdout.end();
  stderr.end();
  return { status, stdout: await written, stderr: await complained };
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}
