/**
 * Where each command of a push stands. Every stage of the pipeline asks for what is still pending and
 * refuses what may not go on; at the end every command has an answer, in the order they were sent.
 *
 * @module
 */
import type { GitError } from '../../core/errors.ts';
import { type RefCommand, type RefCommandResult, type RefReport, refCommand } from './ref-command.ts';

export class CommandLedger {
  readonly commands: readonly RefCommand[];
  readonly #refused = new Map<RefCommand, string>();
  readonly #settled = new Set<RefCommand>();
  readonly #unchanged = new Set<RefCommand>();
  readonly #reports = new Map<RefCommand, readonly RefReport[]>();

  #unpackError: GitError | undefined;

  constructor(commands: readonly RefCommand[]) {
    this.commands = commands;
  }

  /** Neither refused nor settled yet, in order. */
  pending(): RefCommand[] {
    return this.commands.filter((command) => !this.#refused.has(command) && !this.#settled.has(command));
  }

  hasPending(): boolean {
    return this.#refused.size + this.#settled.size < this.commands.length;
  }

  isSettled(command: RefCommand): boolean {
    return this.#settled.has(command);
  }

  hasRefused(): boolean {
    return this.#refused.size > 0;
  }

  /** The first refusal of a command stays. */
  refuse(command: RefCommand, reason: string): void {
    if (this.#settled.has(command) || this.#refused.has(command)) return;
    this.#refused.set(command, reason);
  }

  /** Refuse everything else, also what had nothing to do: before any ref has moved. */
  refuseRest(reason: string): void {
    this.#settled.clear();
    for (const command of this.pending()) this.#refused.set(command, reason);
  }

  /** Refuse everything else because the objects could not be stored. */
  failUnpack(error: GitError): void {
    this.#unpackError = error;
    this.refuseRest('unpacker error');
  }

  get unpackError(): GitError | undefined {
    return this.#unpackError;
  }

  /** Count a command as done; `changed` false when there was nothing to do, so that post-receive is not told. */
  settle(command: RefCommand, changed = true): void {
    this.#settled.add(command);
    if (!changed) this.#unchanged.add(command);
  }

  /** Count a command as done by another, which says what it has changed. */
  settleReported(command: RefCommand, reports: readonly RefReport[]): void {
    this.#settled.add(command);
    this.#reports.set(command, reports);
  }

  /** The commands that were carried out. */
  done(): RefCommand[] {
    return this.commands.filter((command) => this.#settled.has(command) && !this.#unchanged.has(command));
  }

  /** What post-receive is told of: what was done, in place of what was asked for where that differs. */
  changed(): RefCommand[] {
    const done = this.done();
    if (this.#reports.size === 0) return done;
    return done.flatMap((command) => {
      const reports = this.#reports.get(command) ?? [];
      if (reports.length === 0) return [command];
      return reports.map(({ refName, oldId, newId }) =>
        refCommand(refName ?? command.name, oldId ?? command.oldId, newId ?? command.newId),
      );
    });
  }

  results(): RefCommandResult[] {
    return this.commands.map((command) => {
      const reason = this.#refused.get(command);
      if (reason !== undefined) return { command, ok: false, reason };
      return { command, ok: true, reports: this.#reports.get(command) };
    });
  }
}
