/**
 * What becomes of a push certificate before hooks see it: push options compared, signature checked.
 * Spec: git's receive-pack, which does as much and leaves the judgement to hooks.
 *
 * @module
 */
import { throwIfAborted } from '../../core/errors.ts';
import { objectIdOf } from '../../odb/loose-object.ts';
import type { CommandLedger } from './command-ledger.ts';
import type { JudgedCertificate, PushCertificate, SignatureCheck } from './push-certificate.ts';
import type { PushSession } from './push-session.ts';
import { untilAborted } from './run-hooks.ts';

/** Refuse everything when the options that were signed are not those that were sent. */
export function checkSignedOptions(ledger: CommandLedger, { request }: PushSession): void {
  const signed = request.signedPush?.certificate.pushOptions;
  if (signed === undefined) return;
  const { pushOptions: sent = [] } = request;
  const areSame = signed.length === sent.length && signed.every((option, index) => option === sent[index]);
  if (!areSame) ledger.refuseRest('inconsistent push options');
}

/**
 * @returns what hooks are told; `undefined` for a push that is not signed, or that no hook hears of
 * @throws {GitError} ABORTED
 */
export async function judgeCertificate(session: PushSession): Promise<JudgedCertificate | undefined> {
  const { request, repository } = session;
  if (request.signedPush === undefined || !hasListeners(session)) return undefined;
  const { certificate, nonce } = request.signedPush;
  return {
    certificate,
    nonce,
    id: objectIdOf(repository.format, 'blob', certificate.bytes, repository.runtime),
    signature: await checkSignature(certificate, session),
  };
}

/** git, too, neither stores nor checks what nobody looks at. */
function hasListeners({ options, repository }: PushSession): boolean {
  const { hooks, authorizeRefUpdate } = options;
  const isHeardHere = hooks?.preReceive ?? hooks?.update ?? hooks?.postReceive ?? authorizeRefUpdate;
  if (isHeardHere !== undefined) return true;
  return repository.hooks?.has('pre-receive') === true || repository.hooks?.has('post-receive') === true;
}

async function checkSignature(
  { bytes, signedBytes }: PushCertificate,
  session: PushSession,
): Promise<SignatureCheck> {
  const { options, repository, limits, signal } = session;
  const verify = options.verifySignature ?? repository.verifySignature;
  if (verify === undefined) return { status: 'E' };
  const signed = { payload: bytes.subarray(0, signedBytes), signature: bytes.subarray(signedBytes) };
  try {
    const timeoutMs = limits.hookTimeoutMs;
    const onProblem = (error: unknown): void => session.logError(error);
    return await untilAborted(verify(signed, { signal, timeoutMs, onProblem }), signal);
  } catch (error) {
    throwIfAborted(signal);
    session.logError(error);
    return { status: 'E' };
  }
}
