import { once } from 'node:events';
import type { TestContext } from 'node:test';
import ssh2 from 'ssh2';

/** A client of ssh2 that is logged in with a password, until the test is over. */
export async function connectSsh(t: Pick<TestContext, 'after'>, port: number): Promise<ssh2.Client> {
  const client = new ssh2.Client();
  client.on('error', () => undefined);
  client.connect({ host: '127.0.0.1', port, username: 'git', password: 'x' });
  t.after(() => client.destroy());
  await once(client, 'ready');
  client.setNoDelay(true); // else each step of opening a session takes the 40 ms of a delayed ACK
  return client;
}
