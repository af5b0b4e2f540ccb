/**
 * Loaded before the tests by `npm run test:fast-paths`: nothing is kept from one request to the next, no refs, no learned
 * sets, no answers, no deltas.
 *
 * @module
 */
import { warmMemory } from '../../src/core/memory-budget.ts';

warmMemory.setLimit(0);
