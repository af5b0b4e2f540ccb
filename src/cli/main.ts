#!/usr/bin/env node
/**
 * The `packwire` executable.
 *
 * @module
 */
import { setFlagsFromString } from 'node:v8';
import { packwire } from './packwire.ts';

// What the engine keeps lives in typed arrays; the young generation, which V8 lets grow to 48 MiB, would hold
// nothing but what has just died. Kept small it costs no time that can be measured, and receiving
// git/git takes 15 MB less.
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
