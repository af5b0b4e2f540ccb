/**
 * The question whether there is room, as transports put it to an application: with for whom the work is.
 *
 * @module
 */
import type { Cancellable } from '../core/byte-stream.ts';
import type { Admit, Pass, Work } from '../protocol/admission.ts';

/** Who causes a piece of work, and how. */
export interface WorkOrigin {
  /** Whoever the application found the client to be; `undefined` where it was not asked, or did not say. */
  readonly principal: unknown;
  /** The repository as the client spells it; a rule that counts by repository needs its one name. */
  readonly name: string;
  /** Absent where the carrier knows nothing. */
  readonly client: { readonly address?: string | undefined } | undefined;
}

export interface ClientWork extends Work, WorkOrigin {}

/**
 * Asked right before each piece of heavy work; see {@link Admit} for when, and for what it may throw.
 */
export type AdmitClient = (work: ClientWork, options: Cancellable) => Promise<Pass>;

/** What a service is given: it knows the work, and not for whom it is. */
export function admitFrom(admit: AdmitClient | undefined, origin: WorkOrigin): Admit | undefined {
  return admit && ((work, options) => admit({ ...work, ...origin }, options));
}
