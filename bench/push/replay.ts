/**
 * Sends a recorded push and times its two requests.
 *
 * @module
 */
import { createReadStream, statSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { PreparedPush } from './recorded-pushes.ts';

export interface Timing {
  readonly infoRefsMs: number;
  readonly receivePackMs: number;
}

/** One connection for both, as git's client has it. */
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** @throws unless the server says that objects and ref were taken */
export async function replay(port: number, name: string, push: PreparedPush): Promise<Timing> {
  const start = performance.now();
  await send({ port, path: `/${name}/info/refs?service=git-receive-pack`, method: 'GET', headers: {} });
  const advertised = performance.now();
  const answer = await send(
    {
      port,
      path: `/${name}/git-receive-pack`,
      method: 'POST',
      headers: {
        'content-type': 'application/x-git-receive-pack-request',
        accept: 'application/x-git-receive-pack-result',
      },
    },
    push,
  );
  const done = performance.now();
  if (!answer.includes('unpack ok') || !answer.includes(`ok ${push.ref}`)) {
    throw new Error(`the push of ${push.newId} failed: ${answer.slice(0, 500)}`);
  }
  return { infoRefsMs: advertised - start, receivePackMs: done - advertised };
}

interface Sent {
  readonly port: number;
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}

function send(options: Sent, push?: PreparedPush): Promise<string> {
  const { commands, pack } = push ?? {};
  const packBytes =
    pack === undefined ? 0 : pack instanceof Uint8Array ? pack.length : statSync(pack.path).size;
  const headers = {
    ...options.headers,
    ...(push && { 'content-length': (commands?.length ?? 0) + packBytes }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', agent, ...options, headers }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('latin1');
        if (incoming.statusCode === 200) resolve(text);
        else reject(new Error(`${options.path}: ${incoming.statusCode} ${text.slice(0, 500)}`));
      });
    });
    outgoing.on('error', reject);
    if (commands === undefined || pack === undefined) {
      outgoing.end();
    } else if (pack instanceof Uint8Array) {
      outgoing.end(Buffer.concat([commands, pack]));
    } else {
      outgoing.write(commands);
      createReadStream(pack.path, { highWaterMark: 256 * 1024 })
        .on('error', reject)
        .pipe(outgoing);
    }
  });
}
