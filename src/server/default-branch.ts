/**
 * The default branch of a repository that was made for its first push: HEAD was set before anybody knew which
 * branches would come.
 *
 * @module
 */
import type { PushContext } from '../repository/push/hooks.ts';

const BRANCHES = 'refs/heads/';
/** Taken before others when a first push brings several branches. */
const USUAL_BRANCHES = ['refs/heads/main', 'refs/heads/master'];

/**
 * After a push: when HEAD leads nowhere, point it at a branch that was pushed, so that a clone checks something out.
 * A HEAD that leads to a branch is left alone.
 */
export async function pointHeadAtPushedBranch(push: PushContext): Promise<void> {
  const { refs } = push.repository;
  const pushed = push.commands
    .filter(({ kind, name }) => kind !== 'delete' && name.startsWith(BRANCHES))
    .map(({ name }) => name);
  const branch = USUAL_BRANCHES.find((name) => pushed.includes(name)) ?? pushed[0];
  if (branch === undefined || (await refs.resolve('HEAD')) !== undefined) return;
  await refs.setSymbolic('HEAD', branch);
}
