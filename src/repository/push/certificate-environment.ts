/**
 * What the repository's own hooks are told of a push certificate.
 * Spec: git-receive-pack(1), "PRE-RECEIVE HOOK".
 *
 * @module
 */
import type { JudgedCertificate } from './push-certificate.ts';
import type { HookEnvironment } from './repository-hooks.ts';

/** For pre-receive and post-receive. Without a certificate the variables are taken away: this process may have its own. */
export function certificateEnvironment(judged: JudgedCertificate | undefined): HookEnvironment {
  const { nonce, signature } = judged ?? {};
  const isGivenOut = nonce?.nonce !== undefined;
  return {
    GIT_PUSH_CERT: judged?.id,
    GIT_PUSH_CERT_SIGNER: signature && withoutNul(signature.signer),
    GIT_PUSH_CERT_KEY: signature && withoutNul(signature.key),
    GIT_PUSH_CERT_STATUS: signature?.status,
    GIT_PUSH_CERT_NONCE: nonce?.nonce,
    GIT_PUSH_CERT_NONCE_STATUS: isGivenOut ? nonce.status : undefined,
    GIT_PUSH_CERT_NONCE_SLOP: isGivenOut && nonce.status === 'SLOP' ? String(nonce.slopSeconds) : undefined,
  };
}

/** No program can be given a variable with a NUL. */
function withoutNul(text = ''): string {
  return text.replaceAll('\0', '');
}
