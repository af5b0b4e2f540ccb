/**
 * The `filter` line of a fetch request.
 *
 * @module
 */
import { type ObjectFilter, parseObjectFilter } from '../repository/object-filter.ts';
import { violation } from './fetch-context.ts';
import { checkFilterAllowed, type FilterRules } from './filter-rules.ts';

/**
 * @param present the filter of an earlier line: a second one is refused
 * @throws {GitError} PROTOCOL_VIOLATION for what is no filter, or none that is allowed
 */
export function readFilter(
  specification: string,
  present: ObjectFilter | undefined,
  rules: FilterRules,
): ObjectFilter {
  if (present !== undefined) throw violation('multiple filter-specs cannot be combined');
  const filter = parseObjectFilter(specification);
  checkFilterAllowed(filter, rules);
  return filter;
}
