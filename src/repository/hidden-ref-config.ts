/**
 * Which refs a repository's own configuration keeps from clients.
 * Spec: git-config(1), "transfer.hideRefs".
 *
 * @module
 */
import type { GitConfig } from './git-config.ts';

/**
 * Patterns of `transfer.hideRefs` and of the service's own, in the order of the file: the last match decides.
 *
 * @param service the section whose `hideRefs` counts beside transfer's: `uploadpack` or `receive`
 */
export function configuredHiddenRefs(
  config: GitConfig | undefined,
  service: 'uploadpack' | 'receive',
): string[] {
  const names = [`${service}.hiderefs`, 'transfer.hiderefs'];
  const entries = config?.entries.filter(({ name }) => names.includes(name)) ?? [];
  return entries.map(({ value }) => value ?? '').filter((pattern) => pattern !== '');
}
