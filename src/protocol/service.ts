/**
 * What every service takes, whatever carries it. A service is
 * `(repository, request, options) => AsyncGenerator<Uint8Array>`: one function for HTTP, stdio, TCP and SSH.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { Limits } from '../core/limits.ts';

export type ProtocolVersion = 0 | 1 | 2;

/**
 * How much of the conversation one call carries:
 * `advertise` writes the ref or capability advertisement and reads nothing (HTTP GET, `--http-backend-info-refs`);
 * `stateless` reads one request and answers it (HTTP POST, `--stateless-rpc`);
 * `stateful` does both over a connection that stays open (SSH, git://, stdio).
 */
export type ServiceMode = 'advertise' | 'stateless' | 'stateful';

export interface ServiceOptions extends Cancellable {
  readonly mode: ServiceMode;
  readonly protocolVersion: ProtocolVersion;
  readonly limits: Limits;
}

/** The highest version named in a `Git-Protocol` header or `GIT_PROTOCOL` variable; 0 without one. */
export function parseProtocolVersion(parameters: string | null | undefined): ProtocolVersion {
  let version: ProtocolVersion = 0;
  for (const parameter of (parameters ?? '').split(':')) {
    if (parameter === 'version=2') version = 2;
    else if (parameter === 'version=1' && version < 1) version = 1;
  }
  return version;
}
