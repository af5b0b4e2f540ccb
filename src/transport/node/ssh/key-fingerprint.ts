/**
 * Fingerprints: how keys are looked up and named in logs.
 *
 * @module
 */
import { createHash } from 'node:crypto';

/** `SHA256:` and 43 characters, as `ssh-keygen -l` shows it. */
export function keyFingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}
