/**
 * A packwire server in a process of its own, started as an operator starts it.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { figuresOf, type ProcessFigures } from './process-figures.ts';
import { configurationOf, HOST, type PackwireSettings, type Ports } from './server-config.ts';

export interface PackwireOptions {
  /** What Node is given before `serve`: the built command, or the source with a loader. */
  readonly command: readonly string[];
  /** A program that starts the one it is given, in the same process. */
  readonly within?: readonly string[] | undefined;
  /** Told each second of the worst delay of the event loop, in milliseconds, as the server itself measures it. */
  readonly onLoopDelay?: ((worstMs: number) => void) | undefined;
}

/** The command that `npm run build` makes. */
export const BUILT_COMMAND: readonly string[] = [resolve(import.meta.dirname, '../../../dist/cli.js')];
/** The same, unbuilt. */
export const SOURCE_COMMAND: readonly string[] = [
  '--import',
  'tsx',
  resolve(import.meta.dirname, '../../../src/cli/main.ts'),
];

/** Runs in the server before it does: says on descriptor 3 what the loop's delay was. */
const LOOP_MONITOR = `data:text/javascript,${encodeURIComponent(`
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  import { writeSync } from 'node:fs';
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  setInterval(() => { writeSync(3, delay.max / 1e6 + '\\n'); delay.reset(); }, 1000).unref();
`)}`;

/** How much of what the server says is kept. */
const LOG_CHARACTERS = 200_000;

export class PackwireProcess implements AsyncDisposable {
  readonly pid: number;
  readonly ports: Ports;
  /** Signal or status it ended with. */
  readonly ended: Promise<string | number>;
  readonly #child: ChildProcess;
  readonly #log: { text: string };

  private constructor(child: ChildProcess, ports: Ports, log: { text: string }) {
    this.#child = child;
    this.#log = log;
    this.pid = child.pid as number;
    this.ports = ports;
    this.ended = (once(child, 'exit') as Promise<[number | null, string | null]>).then(
      ([status, signal]) => signal ?? (status as number),
    );
  }

  /** Resolves once it listens. @throws when it ends before, with what it said */
  static async start(
    settings: PackwireSettings,
    { command, within = [], onLoopDelay }: PackwireOptions,
  ): Promise<PackwireProcess> {
    const ports = await freePorts();
    const scratch = mkdtempSync(join(tmpdir(), 'packwire-config-'));
    const monitor = onLoopDelay === undefined ? [] : ['--import', LOOP_MONITOR];
    const file = join(scratch, 'packwire.json');
    writeFileSync(file, JSON.stringify(configurationOf(settings, ports)), { mode: 0o600 });
    const words = [...within, process.execPath, ...monitor, ...command, 'serve', '--config', file];
    const child = spawn(words[0] as string, words.slice(1), { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
    // As long as the server runs: it may read its file again.
    child.once('exit', () => rmSync(scratch, { recursive: true, force: true }));
    const log = { text: '' };
    const [, output, errors, delays] = child.stdio as unknown as NodeJS.ReadableStream[];
    errors?.on('data', (chunk: Buffer) => {
      log.text = (log.text + chunk.toString('utf8')).slice(-LOG_CHARACTERS);
    });
    if (onLoopDelay !== undefined && delays !== undefined) {
      createInterface({ input: delays }).on('line', (line) => onLoopDelay(Number(line)));
    }
    for await (const line of createInterface({ input: output as NodeJS.ReadableStream })) {
      if (!line.includes(`${HOST}:${ports.http}`)) continue;
      output?.resume();
      return new PackwireProcess(child, ports, log);
    }
    throw new Error(`the server ended before it listened: ${log.text}`);
  }

  /** Of HTTP. */
  get port(): number {
    return this.ports.http;
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://${HOST}:${this.port}`;
  }

  /** The last of what it wrote to standard error. */
  get log(): string {
    return this.#log.text;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  figures(): ProcessFigures {
    return figuresOf(this.pid);
  }

  /** SIGKILL: nothing in the process runs after it. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** SIGTERM. @returns what it ended with */
  async stop(): Promise<string | number> {
    this.#child.kill('SIGTERM');
    return await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.isRunning) await this.kill();
  }
}

async function freePorts(): Promise<Ports> {
  const servers = await Promise.all(
    [0, 1, 2, 3].map(async () => {
      const server = createServer().listen(0, HOST);
      await once(server, 'listening');
      return server;
    }),
  );
  const [http, git, ssh, health] = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return { http, git, ssh, health } as Ports;
}
