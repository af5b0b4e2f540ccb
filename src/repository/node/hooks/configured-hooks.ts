/**
 * Hooks that a configuration names: a command for each name, and the events at which it runs.
 * Spec: git-config(1), "hook.<friendly-name>.command" and its kin.
 *
 * @module
 */
import { GitError } from '../../../core/errors.ts';
import type { GitConfig } from '../../git-config.ts';

const EVENTS = [
  'pre-receive',
  'update',
  'proc-receive',
  'reference-transaction',
  'push-to-checkout',
  'post-receive',
  'post-update',
];

/**
 * Commands for the shell, by event, in the order they are run: that in which the events were named last.
 *
 * @throws {GitError} REPOSITORY_INVALID for a name that is an event's, or one without a command
 */
export function configuredHooks(config: GitConfig): ReadonlyMap<string, readonly string[]> {
  const commands = new Map<string, string>();
  const events = new Map<string, Set<string>>();
  const disabled = new Set<string>();
  for (const { name, value } of config.entries) {
    const [, hook, key] = /^hook\.(.+)\.([a-z0-9-]+)$/s.exec(name) ?? [];
    if (hook === undefined || value === undefined) continue;
    if (key === 'enabled') {
      if (isTrue(value)) disabled.delete(hook);
      else if (isFalse(value)) disabled.add(hook);
    } else if (key === 'command') {
      commands.set(hook, value);
    } else if (key === 'event') {
      nameEvent(events, hook, value);
    }
  }
  return commandsByEvent(events, commands, disabled);
}

/** An empty value takes back what was named before; an event named again moves to the end. */
function nameEvent(events: Map<string, Set<string>>, hook: string, event: string): void {
  if (event === '') {
    for (const names of events.values()) names.delete(hook);
    return;
  }
  if (EVENTS.includes(hook)) {
    const message = `Cannot read config: the hook's name '${hook}' is that of an event`;
    throw new GitError('REPOSITORY_INVALID', message, { hook });
  }
  const names = events.get(event) ?? new Set();
  events.set(event, names);
  names.delete(hook);
  names.add(hook);
}

function commandsByEvent(
  events: ReadonlyMap<string, ReadonlySet<string>>,
  commands: ReadonlyMap<string, string>,
  disabled: ReadonlySet<string>,
): Map<string, readonly string[]> {
  const byEvent = new Map<string, readonly string[]>();
  for (const [event, names] of events) {
    const enabled: string[] = [];
    for (const name of names) {
      if (disabled.has(name)) continue;
      const command = commands.get(name);
      if (command === undefined) {
        const message = `Cannot read config: 'hook.${name}.command' must be set or 'hook.${name}.event' removed`;
        throw new GitError('REPOSITORY_INVALID', message, { hook: name });
      }
      enabled.push(command);
    }
    if (enabled.length > 0 && !disabled.has(event)) byEvent.set(event, enabled);
  }
  return byEvent;
}

function isTrue(value: string): boolean {
  return /^(?:true|yes|on|[+-]?0*[1-9]\d*)$/i.test(value);
}

function isFalse(value: string): boolean {
  return /^(?:false|no|off|0|)$/i.test(value);
}
