/**
 * An authorizer as the question that a push asks of its changes: before its pack is read, and once more when the pack
 * has shown that some of them rewrite history.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import { isGitError, throwIfAborted } from '../../core/errors.ts';
import { Pace } from '../../core/pace.ts';
import type { RefDatabase } from '../../refs/ref-database.ts';
import { isValidRefName, MAX_SYMBOLIC_DEPTH } from '../../refs/ref-name.ts';
import {
  type ProposedUpdate,
  type Rejection,
  reject,
  type UpdatesAuthorizer,
} from '../../repository/push/hooks.ts';
import { admittedOf } from './admitted.ts';
import type { Authorizer, RefChange } from './authorizer.ts';
import { answeredInTime } from './deadline.ts';

export interface PushAuthorizationOptions {
  readonly authorizer: Authorizer;
  /** Milliseconds for one answer. Default `DECISION_TIMEOUT_MS`. */
  readonly timeoutMs?: number | undefined;
  /** Told of what the authorizer throws; pushers hear only that they may not, or that it cannot be decided now. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

const NOT_AUTHORIZED = 'not authorized';
const UNDECIDED = 'cannot decide about access now, try again later';

/**
 * Whatever is not said clearly is refused: an authorizer that throws, is too late or does not answer for each change,
 * and a push whose principal did not come through an authorizer (see {@link Admitted}).
 *
 * A symbolic ref is asked about by its own name and by that of the ref it leads to, which is the one that moves:
 * both must be allowed.
 */
export function createPushAuthorization({
  authorizer,
  timeoutMs,
  onError,
}: PushAuthorizationOptions): UpdatesAuthorizer {
  return async (updates, { principal, repository }, { signal }) => {
    const admitted = admittedOf(principal);
    if (admitted === undefined) return updates.map(() => reject(NOT_AUTHORIZED));
    try {
      return await answeredInTime(
        async (ended) => {
          const asked = updates.map(changeOf);
          const { changes, targets } = await withTargets(asked, repository.refs, { signal: ended });
          const answers = await authorizer.decideChanges(admitted.request, changes, { signal: ended });
          const refusalAt = (index: number | undefined): Rejection | undefined =>
            index === undefined ? undefined : refusalOf(answers, index, changes.length);
          return asked.map((_, index) => refusalAt(index) ?? refusalAt(targets.get(index)));
        },
        { timeoutMs, signal },
      );
    } catch (error) {
      throwIfAborted(signal);
      onError?.(error);
      const reason = isGitError(error, 'OVERLOADED', 'RATE_LIMITED') ? UNDECIDED : NOT_AUTHORIZED;
      return updates.map(() => reject(reason));
    }
  };
}

function changeOf({ command: { name, kind, oldId, newId }, forced }: ProposedUpdate): RefChange {
  return { name, kind, oldId, newId, forced };
}

interface WithTargets {
  /** What was asked, and behind it the same for the refs that symbolic ones lead to. */
  readonly changes: readonly RefChange[];
  /** By the index of a symbolic ref, that of its target. */
  readonly targets: ReadonlyMap<number, number>;
}

async function withTargets(
  asked: readonly RefChange[],
  refs: RefDatabase,
  options: Cancellable,
): Promise<WithTargets> {
  const changes = [...asked];
  const targets = new Map<number, number>();
  const pace = new Pace(options.signal);
  for (const [index, change] of asked.entries()) {
    if (pace.isDue()) await pace.rest();
    const name = await finalTarget(change.name, refs, options);
    if (name === change.name) continue;
    targets.set(index, changes.length);
    changes.push({ ...change, name });
  }
  return { changes, targets };
}

/** It need not exist: a push would make it. */
async function finalTarget(name: string, refs: RefDatabase, options: Cancellable): Promise<string> {
  if (!isValidRefName(name)) return name; // what is no name of a ref is refused by every push
  let target = name;
  for (let depth = 0; depth < MAX_SYMBOLIC_DEPTH; depth++) {
    const found = await refs.read(target, options);
    if (found?.kind !== 'symbolic') break;
    target = found.target;
  }
  return target;
}

/** Only `undefined` allows, and only where there is an answer for each change. */
function refusalOf(
  answers: readonly (string | undefined)[],
  index: number,
  count: number,
): Rejection | undefined {
  if (answers.length !== count) return reject(NOT_AUTHORIZED);
  const answer: unknown = answers[index];
  if (answer === undefined) return undefined;
  return reject(typeof answer === 'string' ? answer : NOT_AUTHORIZED);
}
