/**
 * The configuration in force, and where each value comes from, as a file that could be used again.
 *
 * @module
 */
import { formatListenAddress, type ListenAddress } from '../listen-address.ts';
import { KNOWN_SETTINGS, type KnownSetting } from './known-settings.ts';
import { formatOrigin, type Origin, type PathStep } from './problem.ts';
import { valueAt } from './schema-problems.ts';
import type { ServerConfig } from './server-config.ts';

/**
 * JSON with comments. Settings without a value are left out. There are no secrets in a configuration, only the paths of
 * files that hold them.
 */
export function showConfig(config: ServerConfig, originOf: (path: readonly PathStep[]) => Origin): string {
  const shown = KNOWN_SETTINGS.flatMap((setting): ShownSetting[] => {
    const value = valueAt(config, setting.path);
    return value === undefined ? [] : [{ setting, value, origin: originOf(setting.path) }];
  });
  return `${formatGroup(shown, 0)}\n`;
}

interface ShownSetting {
  readonly setting: KnownSetting;
  readonly value: unknown;
  readonly origin: Origin;
}

/** Settings that share the first `depth` names. */
function formatGroup(shown: readonly ShownSetting[], depth: number): string {
  const groups = new Map<string, ShownSetting[]>();
  for (const one of shown) {
    const name = one.setting.path[depth] as string;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  const indent = '  '.repeat(depth + 1);
  const lines = [...groups].map(([name, members], at) => {
    const comma = at === groups.size - 1 ? '' : ',';
    const [first] = members as [ShownSetting];
    if (first.setting.path.length > depth + 1) {
      return `${indent}${JSON.stringify(name)}: ${formatGroup(members, depth + 1)}${comma}\n`;
    }
    const value = formatValue(first.value, indent);
    return `${indent}${JSON.stringify(name)}: ${value}${comma} // ${formatOrigin(first.origin)}\n`;
  });
  return `{\n${lines.join('')}${'  '.repeat(depth)}}`;
}

function formatValue(value: unknown, indent: string): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items = value.map((item: unknown) =>
    JSON.stringify(isAddress(item) ? formatListenAddress(item) : item),
  );
  const line = `[${items.join(', ')}]`;
  if (!value.some((item) => typeof item === 'object' && !isAddress(item))) return line;
  return `[\n${items.map((item) => `${indent}  ${item}`).join(',\n')}\n${indent}]`;
}

function isAddress(item: unknown): item is ListenAddress {
  return typeof item === 'object' && item !== null && 'host' in item && 'port' in item;
}
