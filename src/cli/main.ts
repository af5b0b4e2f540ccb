#!/usr/bin/env node
/**
 * The `packwire` executable.
 *
 * @module
 */
import { packwire } from './packwire.ts';

process.exitCode = await packwire(process.argv.slice(2), {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
  environment: process.env,
  directory: process.cwd(),
  isTerminal: process.stderr.isTTY === true,
});
