/**
 * One repository that is several to its clients, each with refs of its own and all with the same objects.
 * Spec: gitnamespaces(7). Its warning holds: who may fetch from one namespace may be able to get objects of others.
 *
 * @module
 */
import { NamespacedRefs, namespacePrefix } from '../refs/namespaced-refs.ts';
import type { HookCall, RepositoryHooks } from './push/repository-hooks.ts';
import type { Repository } from './repository.ts';

/**
 * A view of `repository` in which only the refs of `namespace` exist; hooks see it in `GIT_NAMESPACE`. Disposing of the
 * view disposes of the repository.
 *
 * @param namespace as `GIT_NAMESPACE`: `a/b` is `b` within `a`
 * @throws {GitError} INVALID_ARGUMENT for a name of which no refs can be made
 */
export function inNamespace(repository: Repository, namespace: string): Repository {
  const prefix = namespacePrefix(namespace);
  const whole = repository.refs;
  return {
    ...repository,
    refs: new NamespacedRefs(whole, prefix),
    hooks: repository.hooks && hooksWithin(repository.hooks, namespace),
    namespace: {
      prefix,
      otherRefs: async (options) => {
        const refs = await whole.list(undefined, options);
        return refs.filter(({ name }) => !name.startsWith(prefix));
      },
    },
  };
}

function hooksWithin(hooks: RepositoryHooks, namespace: string): RepositoryHooks {
  const within = (call: HookCall): HookCall => ({
    ...call,
    environment: { GIT_NAMESPACE: namespace, ...call.environment },
  });
  return {
    has: (event, onAdvice) => hooks.has(event, onAdvice),
    run: (event, call) => hooks.run(event, within(call)),
    converse: (event, call, talk) => hooks.converse(event, within(call), talk),
  };
}

/**
 * Patterns of hidden refs for a view whose refs have lost `prefix`: those behind `^` speak of full names.
 *
 * @param prefix empty without a namespace
 */
export function hiddenWithin(patterns: readonly string[], prefix: string): readonly string[] {
  if (prefix === '') return patterns;
  return patterns.flatMap((pattern) => {
    const [, shows = '', full] = /^(!?)\^(.*?)\/*$/s.exec(pattern) ?? [];
    if (full === undefined) return [pattern];
    if (full.startsWith(prefix)) return [shows + full.slice(prefix.length)];
    // The namespace itself, or one it is in: everything.
    return prefix.startsWith(`${full}/`) ? [`${shows}refs`, `${shows}HEAD`] : [];
  });
}

/** Of `patterns`, those that speak of full names: only they can hide refs of other namespaces. */
export function hiddenElsewhere(patterns: readonly string[]): readonly string[] {
  return patterns.filter((pattern) => /^!?\^/.test(pattern));
}
