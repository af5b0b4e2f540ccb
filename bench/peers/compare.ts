/**
 * Give the same work to every peer, in turns, and gather what it took.
 *
 * @module
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Measurement, measure, type Run, RunFailed } from '../pack/measure.ts';
import { formatRequest } from '../pack/requests.ts';
import { checkIngested, checkServed, objectsOwed } from './check.ts';
import { git, type Input } from './input.ts';
import type { ReadyPeer } from './peer.ts';

export const WORKS = ['ingest', 'clone', 'fetch'] as const;
export type Work = (typeof WORKS)[number];

export interface Outcome {
  readonly input: string;
  readonly work: Work;
  readonly peer: string;
  readonly status: 'measured' | 'failed' | 'time limit' | 'not offered';
  /** What went wrong, one line. */
  readonly reason?: string | undefined;
  /** Objects in the pack that was served, as its header says. */
  readonly objectsSent?: number | undefined;
  /** All runs, in the order they were made; empty unless measured. */
  readonly runs: readonly Measurement[];
}

export interface CompareOptions {
  readonly runs: number;
  readonly timeLimitSeconds: number;
  /** A folder of its own that exists. */
  readonly scratch: string;
  readonly say: (line: string) => void;
}

/** One peer at one piece of work: how to run it, and how to see whether it was right. */
interface Contender {
  readonly peer: string;
  readonly before: () => void;
  readonly run: Run;
  /** Run once, not measured, and judge the result. @throws when it is wrong */
  check(): Promise<{ objectsSent?: number }>;
}

const LONGEST_REASON = 200;

/**
 * First each peer once, checked and not measured, so that what is wrong is never timed and files are in memory for
 * all; then the rounds. Each round begins with the next peer, so that none is always first or always after the same.
 */
export async function compare(
  work: Work,
  input: Input,
  peers: ReadonlyMap<string, ReadyPeer>,
  options: CompareOptions,
): Promise<readonly Outcome[]> {
  const { runs, timeLimitSeconds, say } = options;
  const outcomes = new Map<string, Outcome>();
  const measured = new Map<Contender, { objectsSent?: number; runs: Measurement[] }>();
  const common = { input: input.facts.name, work, runs: [] };

  const contenders = contendersFor(work, input, peers, options);
  for (const peer of peers.keys()) {
    const contender = contenders.find((one) => one.peer === peer);
    if (contender === undefined) {
      outcomes.set(peer, { ...common, peer, status: 'not offered' });
      continue;
    }
    try {
      measured.set(contender, { ...(await contender.check()), runs: [] });
      say(`  ${peer}: right`);
    } catch (error) {
      outcomes.set(peer, { ...common, peer, ...failure(error) });
      say(`  ${peer}: ${failure(error).reason}`);
    }
  }

  for (let round = 0; round < runs; round++) {
    const turn = [...measured.keys()];
    for (let i = 0; i < turn.length; i++) {
      const contender = turn[(i + round) % turn.length] as Contender;
      if (!measured.has(contender)) continue;
      try {
        contender.before();
        const measurement = await measure(contender.run, { timeLimitSeconds });
        measured.get(contender)?.runs.push(measurement);
        say(`  ${round + 1}/${runs} ${contender.peer}: ${measurement.wallSeconds.toFixed(2)} s`);
      } catch (error) {
        measured.delete(contender);
        outcomes.set(contender.peer, { ...common, peer: contender.peer, ...failure(error) });
        say(`  ${round + 1}/${runs} ${contender.peer}: ${failure(error).reason}`);
      }
    }
  }
  for (const [{ peer }, result] of measured)
    outcomes.set(peer, { ...common, peer, status: 'measured', ...result });
  return [...peers.keys()].map((peer) => outcomes.get(peer) as Outcome);
}

function contendersFor(
  work: Work,
  input: Input,
  peers: ReadonlyMap<string, ReadyPeer>,
  options: CompareOptions,
): Contender[] {
  return work === 'ingest' ? ingesters(input, peers, options) : servers(work, input, peers, options);
}

function ingesters(
  input: Input,
  peers: ReadonlyMap<string, ReadyPeer>,
  { scratch, timeLimitSeconds }: CompareOptions,
): Contender[] {
  const alreadyRight = new Set<string>();
  const target = join(scratch, 'ingest.git');
  const before = (): void => {
    rmSync(target, { recursive: true, force: true });
    git(scratch, 'init', '-q', '--bare', target);
  };
  return [...peers].flatMap(([peer, { ingest }]) => {
    if (ingest === undefined) return [];
    const run = { ...ingest(target), inputFile: input.packFile };
    return {
      peer,
      run,
      before,
      async check() {
        before();
        await measure(run, { timeLimitSeconds });
        checkIngested(target, input.facts.objects, alreadyRight);
        return {};
      },
    };
  });
}

function servers(
  work: 'clone' | 'fetch',
  input: Input,
  peers: ReadonlyMap<string, ReadyPeer>,
  { scratch, timeLimitSeconds }: CompareOptions,
): Contender[] {
  const asked = input[work];
  if (asked === undefined) return [];
  const owed = objectsOwed(input.repository, asked);
  return [...peers].flatMap(([peer, { serve }]) => {
    if (serve === undefined) return [];
    const run = { ...serve.run(input.repository), input: formatRequest(asked, serve.dialect) };
    return {
      peer,
      run,
      before: () => undefined,
      async check() {
        const folder = join(scratch, 'check');
        mkdirSync(folder, { recursive: true });
        try {
          const response = join(folder, 'response');
          await measure(run, { timeLimitSeconds, outputFile: response });
          const { objectsSent } = checkServed(response, input.repository, asked, owed, folder);
          return { objectsSent };
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    };
  });
}

function failure(error: unknown): { status: 'failed' | 'time limit'; reason: string } {
  if (!(error instanceof Error)) throw error;
  const status = error instanceof RunFailed ? error.reason : 'failed';
  // Libraries in one file of one line print that line; the line that names the error is worth more.
  const lines = error.message.split('\n').filter((line) => line.length <= 4 * LONGEST_REASON);
  const telling =
    lines.slice(1).find((line) => /error|exception|fatal|panic/i.test(line)) ?? lines.at(-1) ?? '';
  return { status, reason: telling.trim().slice(0, LONGEST_REASON) };
}
