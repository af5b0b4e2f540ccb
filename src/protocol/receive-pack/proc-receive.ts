/**
 * The conversation with a proc-receive hook, which carries out commands in place of the server.
 * Spec: githooks(5), "proc-receive"; git's receive-pack for what it says of hooks that break the rules.
 *
 * @module
 */
import { isGitError } from '../../core/errors.ts';
import type { DelegateAnswer, DelegateOutcome, DelegateRequest } from '../../repository/push/delegate.ts';
import type { RefCommand, RefReport } from '../../repository/push/ref-command.ts';
import { printable } from '../../repository/push/ref-policy.ts';
import type { HookConversation } from '../../repository/push/repository-hooks.ts';
import { parseCapabilities } from '../capabilities.ts';
import { PacketBuffer } from '../packet-buffer.ts';
import { PacketReader } from '../packet-reader.ts';
import { payloadText } from '../pkt-line.ts';

/** Bytes of everything a hook may answer: as many commands as a push may have, each with some lines. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Hand `request` to `hook` and read what became of its commands. What the hook does wrong is in the outcome. */
export async function talkToProcReceive(
  request: DelegateRequest,
  hook: HookConversation,
): Promise<DelegateOutcome> {
  const reader = new PacketReader(hook.output, MAX_ANSWER_BYTES);
  const nothing = { answers: new Map<RefCommand, DelegateAnswer>(), failed: true };
  try {
    const takesOptions = await negotiate(request, hook, reader);
    if (takesOptions === undefined) return nothing;
    if (!(await hook.write(encodeCommands(request)))) {
      request.sayError('fail to write commands to proc-receive hook');
      return nothing;
    }
    if (takesOptions && !(await hook.write(encodeOptions(request)))) {
      request.sayError('fail to write push-options to proc-receive hook');
      return nothing;
    }
    const report = new ReportReader(request);
    return await report.read(reader);
  } catch (error) {
    if (!isGitError(error, 'PROTOCOL_VIOLATION', 'LIMIT_EXCEEDED')) throw error;
    request.sayError(`proc-receive: ${printable(error.message)}`);
    return nothing;
  } finally {
    await reader.close();
  }
}

/** @returns whether the hook takes push options; `undefined` when it cannot be talked with */
async function negotiate(
  { atomic, pushOptions, sayError }: DelegateRequest,
  hook: HookConversation,
  reader: PacketReader,
): Promise<boolean | undefined> {
  const features = [...(atomic ? ['atomic'] : []), ...(pushOptions === undefined ? [] : ['push-options'])];
  const greeting = new PacketBuffer();
  greeting.line(features.length > 0 ? `version=1\0${features.join(' ')}\n` : 'version=1\n').flush();
  const isHeard = await hook.write(greeting.take());

  let version = '0';
  let takesOptions = false;
  for (;;) {
    const packet = isHeard ? await reader.next() : undefined;
    if (packet === undefined) {
      sayError('fail to negotiate version with proc-receive hook');
      return undefined;
    }
    if (packet.kind !== 'data') break;
    const [line = '', words] = payloadText(packet.payload).split('\0');
    if (!line.startsWith('version=')) continue;
    version = line.slice('version='.length);
    takesOptions = parseCapabilities(words ?? '').has('push-options');
  }
  if (version === '0' || version === '1') return takesOptions;
  sayError(`proc-receive version '${printable(version)}' is not supported`);
  return undefined;
}

function encodeCommands({ commands }: DelegateRequest): Uint8Array {
  const packets = new PacketBuffer();
  for (const { oldId, newId, name } of commands) packets.line(`${oldId} ${newId} ${name}`);
  return packets.flush().take();
}

function encodeOptions({ pushOptions }: DelegateRequest): Uint8Array {
  const packets = new PacketBuffer();
  for (const option of pushOptions ?? []) packets.line(option);
  return packets.flush().take();
}

/** Reads `ok`, `ng` and the `option` lines that belong to an `ok`. */
class ReportReader {
  readonly #request: DelegateRequest;
  readonly #commands: ReadonlyMap<string, RefCommand>;
  readonly #answers = new Map<RefCommand, DelegateAnswer>();
  readonly #reports = new Map<RefCommand, Mutable<RefReport>[]>();
  readonly #complaints: string[] = [];
  /** What `option` lines are about. */
  #current: RefCommand | undefined;
  #report: Mutable<RefReport> | undefined;
  #hasStrayOption = false;
  #failed = false;

  constructor(request: DelegateRequest) {
    this.#request = request;
    this.#commands = new Map(request.commands.map((command) => [command.name, command]));
  }

  async read(reader: PacketReader): Promise<DelegateOutcome> {
    let packet = await reader.next();
    if (packet === undefined) {
      this.#request.sayError('proc-receive exited abnormally');
      return { answers: this.#answers, failed: true };
    }
    for (; packet?.kind === 'data'; packet = await reader.next()) {
      this.#readLine(payloadText(packet.payload));
    }
    for (const command of this.#request.commands) {
      if (this.#answers.has(command)) continue;
      this.#answers.set(command, { kind: 'refused', reason: 'proc-receive failed to report status' });
      this.#failed = true;
    }
    if (this.#complaints.length > 0) this.#request.sayError(this.#complaints.join('\n'));
    return { answers: this.#answers, failed: this.#failed };
  }

  #readLine(line: string): void {
    const [head, rest] = divide(line);
    if (rest === undefined) {
      this.#complain(`proc-receive reported incomplete status line: '${printable(line)}'`);
    } else if (head === 'option') {
      this.#readOption(rest);
    } else {
      this.#readStatus(head, rest);
    }
  }

  #readStatus(head: string, rest: string): void {
    this.#current = undefined;
    this.#report = undefined;
    const [name, reason] = divide(rest);
    if (head !== 'ok' && head !== 'ng') {
      this.#complain(`proc-receive reported bad status '${printable(head)}' on ref '${printable(name)}'`);
      return;
    }
    const command = this.#commands.get(name);
    if (command === undefined || this.#answers.get(command)?.kind === 'fall-through') {
      const what = this.#request.isKnown(name) ? 'unexpected' : 'unknown';
      this.#complain(`proc-receive reported status on ${what} ref: ${printable(name)}`);
      return;
    }
    if (head === 'ng') {
      this.#answers.set(command, { kind: 'refused', reason: printable(reason ?? 'failed') });
      this.#failed = true;
      return;
    }
    this.#current = command;
    const reports = this.#reports.get(command) ?? [];
    this.#reports.set(command, reports);
    if (this.#answers.get(command)?.kind !== 'refused') this.#answers.set(command, { kind: 'ok', reports });
  }

  #readOption(rest: string): void {
    const command = this.#current;
    if (command === undefined) {
      if (!this.#hasStrayOption)
        this.#complain("proc-receive reported 'option' without a matching 'ok/ng' directive");
      this.#hasStrayOption = true;
      return;
    }
    const report = this.#report ?? {};
    if (this.#report === undefined) this.#reports.get(command)?.push(report);
    this.#report = report;
    const [key, value] = divide(rest);
    if (key === 'refname') report.refName = value;
    else if (key === 'old-oid') report.oldId = this.#id(value, command);
    else if (key === 'new-oid') report.newId = this.#id(value, command);
    else if (key === 'forced-update') report.isForced = true;
    else if (key === 'fall-through') this.#answers.set(command, { kind: 'fall-through' });
  }

  /** What is no id says nothing. */
  #id(value: string | undefined, { oldId }: RefCommand): string | undefined {
    return value?.length === oldId.length && /^[0-9a-f]+$/.test(value) ? value : undefined;
  }

  #complain(text: string): void {
    this.#complaints.push(text);
    this.#failed = true;
  }
}

/** The first word and what follows the space behind it. */
function divide(line: string): readonly [string, string | undefined] {
  const space = line.indexOf(' ');
  return space < 0 ? [line, undefined] : [line.slice(0, space), line.slice(space + 1)];
}
