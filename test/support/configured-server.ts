/**
 * The reference server as its configuration file describes it, for tests.
 *
 * @module
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { loadServerConfig } from '../../src/server/config/load-config.ts';
import type { ServerConfig } from '../../src/server/config/server-config.ts';
import {
  type ReferenceServer,
  type ServerSurroundings,
  startServer,
} from '../../src/server/reference-server.ts';
import { scratchDirectory } from './git.ts';

/** @param settings of the file; without listeners one of HTTP on any port */
export async function loadedConfig(
  t: Pick<TestContext, 'after'>,
  settings: Readonly<Record<string, unknown>>,
): Promise<ServerConfig> {
  const directory = await scratchDirectory(t);
  const file = join(directory, 'packwire.jsonc');
  writeFileSync(file, JSON.stringify({ listen: { http: ['127.0.0.1:0'] }, ...settings }));
  return loadServerConfig({ file, environment: {}, directory });
}

/** Stopped when the test is over. */
export async function startConfigured(
  t: Pick<TestContext, 'after'>,
  settings: Readonly<Record<string, unknown>>,
  surroundings: ServerSurroundings = {},
): Promise<ReferenceServer> {
  const server = await startServer(await loadedConfig(t, settings), surroundings);
  t.after(() => server.stop(0));
  return server;
}
