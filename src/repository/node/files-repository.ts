/**
 * Ordinary Git repositories on disk.
 *
 * @module
 */
export { initRepository } from './init-repository.ts';
export { openRepository } from './open-repository.ts';
