#!/usr/bin/env node
/**
 * The `packwire` executable.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { packwire } from './packwire.ts';

// What the engine keeps lives in typed arrays; the young generation, which V8 lets grow to 48 MiB, would hold
// nothing but what has just died. This keeps it small until the first forced collection (core/node/collect-garbage),
// after which V8 was seen to grow it again.
setFlagsFromString('--semi-space-growth-factor=1');

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
