/**
 * One inflater for all synchronous reading: it is never in use when another read begins.
 *
 * @module
 */
import type { Inflater, Runtime } from '../core/runtime.ts';

const inflaters = new WeakMap<Runtime, Inflater>();

/** The runtime's inflater for callers that finish with it before they return. Never close it. */
export function sharedInflater(runtime: Runtime): Inflater {
  let inflater = inflaters.get(runtime);
  if (inflater === undefined) {
    inflater = runtime.createInflater();
    inflaters.set(runtime, inflater);
  }
  return inflater;
}
