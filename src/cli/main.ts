#!/usr/bin/env node
/**
 * The `packwire` executable.
 *
 * @module
 */
import { packwire } from './packwire.ts';

// Whoever writes learns of a broken pipe from its own write; without a listener the event would end us at once.
for (const pipe of [process.stdout, process.stderr]) pipe.on('error', () => undefined);

process.exitCode = await packwire(process.argv.slice(2), {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  environment: process.env,
  directory: process.cwd(),
  isTerminal: process.stderr.isTTY === true,
});
