/**
 * Whether a server answers at once, seen from outside.
 *
 * @module
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { ProbeQuestion, ProbeReport } from './health-prober.ts';
import { HOST, type Ports } from './server-config.ts';

export type { ProbeReport } from './health-prober.ts';

const HEALTH_PATHS: readonly string[] = ['/-/live', '/-/ready'];
/** A door that others crowd, and one for nothing else. */
const DOORS = ['http', 'health'] as const;
/** Long enough for the first questions, which pay for everything that is done once. */
const WARMING_MS = 500;

export class HealthProbe implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(ports: Ports): Promise<HealthProbe> {
    const urls = DOORS.flatMap((door) => HEALTH_PATHS.map((path) => `http://${HOST}:${ports[door]}${path}`));
    const script = resolve(import.meta.dirname, 'health-prober.ts');
    const child = fork(script, urls, { execArgv: ['--import', 'tsx'] });
    const probe = new HealthProbe(child);
    await new Promise((done) => setTimeout(done, WARMING_MS));
    await probe.take();
    return probe;
  }

  /** What was seen since the last time. */
  take(): Promise<ProbeReport> {
    return this.#ask<ProbeReport>('report');
  }

  /** Milliseconds of the slowest answer since the last look. */
  look(): Promise<number> {
    return this.#ask<number>('look');
  }

  async #ask<Answer>(question: ProbeQuestion): Promise<Answer> {
    const answered = once(this.#child, 'message') as Promise<[Answer]>;
    this.#child.send(question);
    const [answer] = await answered;
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }
}
