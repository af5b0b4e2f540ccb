/**
 * A disk that fails where a test wants it to: full, read-only, broken. What the library asks of the file system in this
 * thread goes through here.
 *
 * Imported for its effect, before anything of the library, some of which keeps the functions it was given when it was
 * loaded: `import '../support/failing-disk.ts';`
 *
 * @module
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { TestContext } from 'node:test';

export type DiskOperation = 'open' | 'write' | 'sync' | 'rename' | 'mkdir' | 'link';

export interface DiskFault {
  readonly operations: readonly DiskOperation[];
  /** Of the files it happens to: what is opened, written, made, or renamed to. */
  readonly path: RegExp;
  /** Default: there is no space left. */
  readonly code?: 'ENOSPC' | 'EIO' | 'EROFS' | undefined;
  /** How often it works before it fails. Default 0. */
  readonly after?: number | undefined;
}

export interface FailingDisk {
  /** How often it has failed. */
  readonly failures: number;
  /** Let everything work again. */
  mend(): void;
}

/** Why tests with a failing disk cannot run here, or false: open files are known by their names on Linux only. */
export const NO_FAILING_DISK = !fs.existsSync('/proc/self/fd') && 'there is no /proc/self/fd';

const ERRORS = {
  ENOSPC: ['no space left on device', -28],
  EIO: ['i/o error', -5],
  EROFS: ['read-only file system', -30],
} as const;

class Fault implements FailingDisk {
  readonly #fault: DiskFault;
  #left: number;
  failures = 0;

  constructor(fault: DiskFault) {
    this.#fault = fault;
    this.#left = fault.after ?? 0;
  }

  check(operation: DiskOperation, path: string): NodeJS.ErrnoException | undefined {
    const { operations, path: pattern, code = 'ENOSPC' } = this.#fault;
    if (!operations.includes(operation) || !pattern.test(path) || this.#left-- > 0) return undefined;
    this.failures++;
    const [message, errno] = ERRORS[code];
    return Object.assign(new Error(`${code}: ${message}, ${operation}`), {
      code,
      errno,
      syscall: operation,
      path,
    });
  }

  mend(): void {
    if (current === this) current = undefined;
  }
}

let current: Fault | undefined;

/** From now on, and until the test ends or {@link FailingDisk.mend} is called. One at a time. */
export function failDisk(context: TestContext, fault: DiskFault): FailingDisk {
  const armed = new Fault(fault);
  current = armed;
  context.after(() => armed.mend());
  return armed;
}

function faultOf(operation: DiskOperation, of: string | number): NodeJS.ErrnoException | undefined {
  if (current === undefined) return undefined;
  return current.check(operation, typeof of === 'number' ? fs.readlinkSync(`/proc/self/fd/${of}`) : of);
}

// biome-ignore lint/suspicious/noExplicitAny: functions of Node of every shape
type AnyFunction = (...args: any[]) => any;

/** In place of `name` of `owner`: fails when there is a fault for what `subject` makes of its arguments. */
function wrap(
  owner: object,
  name: string,
  kind: 'sync' | 'callback' | 'promise',
  operation: DiskOperation,
  subject: (self: unknown, args: readonly unknown[]) => string | number,
): void {
  const functions = owner as Record<string, AnyFunction>;
  const original = functions[name] as AnyFunction;
  const wrapped: AnyFunction = function (this: unknown, ...args) {
    const error = faultOf(operation, subject(this, args));
    if (error === undefined) return original.apply(this, args);
    if (kind === 'sync') throw error;
    if (kind === 'promise') return Promise.reject(error);
    const callback = args.at(-1) as AnyFunction;
    return process.nextTick(callback, error);
  };
  // What promisify() asks about is kept in properties without names.
  functions[name] = Object.defineProperties(wrapped, Object.getOwnPropertyDescriptors(original));
}

const first = (_: unknown, args: readonly unknown[]): string | number => args[0] as string | number;
const second = (_: unknown, args: readonly unknown[]): string => args[1] as string;
const handle = (self: unknown): number => (self as fs.promises.FileHandle).fd;

for (const [name, operation] of [
  ['openSync', 'open'],
  ['writeSync', 'write'],
  ['fsyncSync', 'sync'],
  ['mkdirSync', 'mkdir'],
] as const) {
  wrap(fs, name, 'sync', operation, first);
}
wrap(fs, 'renameSync', 'sync', 'rename', second);
wrap(fs, 'linkSync', 'sync', 'link', second);
wrap(fs, 'write', 'callback', 'write', first);
wrap(fs, 'fsync', 'callback', 'sync', first);
for (const [name, operation] of [
  ['open', 'open'],
  ['mkdir', 'mkdir'],
  ['mkdtemp', 'mkdir'],
  ['writeFile', 'write'],
] as const) {
  wrap(fs.promises, name, 'promise', operation, first);
}
wrap(fs.promises, 'rename', 'promise', 'rename', second);
wrap(fs.promises, 'link', 'promise', 'link', second);

// Before the first wait: whoever is imported after this module is not kept waiting.
syncBuiltinESMExports();

const opened = await fs.promises.open(import.meta.filename, 'r');
const prototype = Object.getPrototypeOf(opened) as object;
await opened.close();
for (const [name, operation] of [
  ['write', 'write'],
  ['writeFile', 'write'],
  ['sync', 'sync'],
] as const) {
  wrap(prototype, name, 'promise', operation, handle);
}
