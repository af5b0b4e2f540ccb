/**
 * The load, in a process of its own: some connections, each asking again as soon as it is answered.
 *
 * Reads one {@link LoadOrder} in JSON from standard input, writes one {@link LoadResult} to standard output.
 *
 * @module
 */
import { text } from 'node:stream/consumers';
import { KeepAliveClient } from './keep-alive-client.ts';

export interface LoadOrder {
  readonly port: number;
  /** One request, in base64. */
  readonly request: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Made before, not timed. */
  readonly warmingRequests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Bytes of the body of one answer. */
  readonly answerBytes: number;
}

const WARMING_PART = 0.2;

const { port, request, connections, seconds } = JSON.parse(await text(process.stdin)) as LoadOrder;
const bytes = Buffer.from(request, 'base64');
const latencies: number[] = [];
let answerBytes = 0;

async function run(forSeconds: number): Promise<number> {
  const started = performance.now();
  const end = started + forSeconds * 1000;
  const one = async (): Promise<void> => {
    const client = new KeepAliveClient(port);
    for (let now = performance.now(); now < end; ) {
      const { status, bodyBytes } = await client.ask(bytes);
      if (status !== 200) throw new Error(`the server answered ${status}`);
      const answered = performance.now();
      latencies.push(answered - now);
      answerBytes = bodyBytes;
      now = answered;
    }
    client.close();
  };
  await Promise.all(Array.from({ length: connections }, one));
  return (performance.now() - started) / 1000;
}

await run(seconds * WARMING_PART);
const warmingRequests = latencies.length;
latencies.length = 0;
const elapsed = await run(seconds);
latencies.sort((a, b) => a - b);
const quantile = (part: number): number => latencies[Math.floor(part * (latencies.length - 1))] as number;
const result: LoadResult = {
  requests: latencies.length,
  warmingRequests,
  requestsPerSecond: latencies.length / elapsed,
  p50Ms: quantile(0.5),
  p99Ms: quantile(0.99),
  answerBytes,
};
process.stdout.write(JSON.stringify(result));
