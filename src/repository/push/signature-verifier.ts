/**
 * Who checks the signatures of signed pushes. Declared here, fulfilled by the application or, where there are
 * processes, by the programs git itself would run.
 *
 * @module
 */
import type { Cancellable } from '../../core/byte-stream.ts';
import type { SignatureCheck } from './push-certificate.ts';

export interface SignedText {
  /** What is signed, byte by byte. */
  readonly payload: Uint8Array;
  /** Text that begins with one of the known lines, or is empty, or anything a stranger has put there. */
  readonly signature: Uint8Array;
}

export interface VerifyOptions extends Cancellable {
  /** Milliseconds for each program that is run; 0 waits for ever. */
  readonly timeoutMs: number;
  /** Told why a signature cannot be checked, for the log. */
  readonly onProblem: (error: unknown) => void;
}

/** Must say how things are, not decide; what it throws is logged and counts as a signature that cannot be checked. */
export type SignatureVerifier = (signed: SignedText, options: VerifyOptions) => Promise<SignatureCheck>;
