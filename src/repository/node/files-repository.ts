/**
 * Ordinary Git repositories on disk.
 *
 * @module
 */
export { type InitRepositoryOptions, initRepository } from './init-repository.ts';
export { type FilesRepository, type OpenRepositoryOptions, openRepository } from './open-repository.ts';
