/**
 * What every service takes, whatever carries it. A service is
 * `(repository, request, options) => AsyncGenerator<Uint8Array>`: one function for HTTP, stdio, TCP and SSH.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { Limits } from '../core/limits.ts';
import type { Admit } from './admission.ts';

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
  /**
   * Asked for room before anything heavy is begun. In the mode `stateless` a service throws OVERLOADED and RATE_LIMITED of
   * it, having yielded nothing: the carrier tells the client. Default: there is always room.
   */
  readonly admit?: Admit | undefined;
  /**
   * Told of a failure that the client has been told of as well (an `ERR` packet, band 3, a report): the
   * service ends normally then, so that the last packet is delivered. For logs and exit codes. A failure
   * that can no longer be put on the wire is thrown instead.
   */
  readonly onFailure?: ((error: unknown) => void) | undefined;
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
