/**
 * One inflater for all synchronous reading: it is never in use when another read begins.
 *
 * @module
 */
import { onePer } from '../core/one-per.ts';
import type { Runtime } from '../core/runtime.ts';

/** The runtime's inflater for callers that finish with it before they return. Never close it. */
export const sharedInflater = onePer((runtime: Runtime) => runtime.createInflater());
