/**
 * What the file system says, as errors of this library.
 *
 * @module
 */
export { isAbsent, storageError, storing, systemCode } from '../../core/node/storage-error.ts';
