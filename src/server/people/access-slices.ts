/**
 * An access file in pieces: each an access file of its own, so that a large one is looked at in turns.
 *
 * @module
 */
import { accessSchema } from './access-schema.ts';

export interface AccessSlice {
  readonly value: unknown;
  /** The list that it is a part of, and where the part begins. */
  readonly list?: string | undefined;
  readonly from: number;
}

/** Users, tokens or keys of one piece: looked at in a millisecond or two. */
const SLICE = 100;

/** Users come first, so that whose a token is can be said at once. */
export function slicesOf(value: unknown): AccessSlice[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [{ value, from: 0 }];
  const rest: Record<string, unknown> = { ...value };
  const users: AccessSlice[] = [];
  const others: AccessSlice[] = [];
  for (const [name, member] of Object.entries(value)) {
    if (!Object.hasOwn(accessSchema.shape, name) || typeof member !== 'object' || member === null) continue;
    if (name === 'users' && !Array.isArray(member)) {
      const entries = Object.entries(member);
      for (let from = 0; from < entries.length; from += SLICE) {
        users.push({ value: { users: Object.fromEntries(entries.slice(from, from + SLICE)) }, from: 0 });
      }
      rest.users = {};
    } else if (Array.isArray(member) && member.length > SLICE) {
      for (let from = 0; from < member.length; from += SLICE) {
        others.push({ value: { [name]: member.slice(from, from + SLICE) }, list: name, from });
      }
      rest[name] = [];
    }
  }
  return [...users, { value: rest, from: 0 }, ...others];
}
