/**
 * What gpg, gpgsm and ssh-keygen say about a signature, as git reads it.
 * Spec: GnuPG's doc/DETAILS, "Format of the --status-fd output"; ssh-keygen(1), "-Y verify"; git's gpg-interface.c.
 *
 * @module
 */
import type { SignatureCheck, SignatureStatus, SignatureTrust } from '../../push/push-certificate.ts';

/** Of these a signature has one. */
const VERDICTS: ReadonlyMap<string, SignatureStatus> = new Map([
  ['GOODSIG', 'G'],
  ['BADSIG', 'B'],
  ['ERRSIG', 'E'],
  ['EXPSIG', 'X'],
  ['EXPKEYSIG', 'Y'],
  ['REVKEYSIG', 'R'],
]);

const TRUST: Readonly<Record<string, SignatureTrust | undefined>> = {
  UNDEFINED: 'undefined',
  NEVER: 'never',
  MARGINAL: 'marginal',
  FULLY: 'fully',
  ULTIMATE: 'ultimate',
};

const PREFIX = '[GNUPG:] ';

/** @param status what `--status-fd` printed */
export function readGpgStatus(status: string): SignatureCheck {
  const check: { -readonly [Key in keyof SignatureCheck]: SignatureCheck[Key] } = { status: 'N' };
  let verdicts = 0;
  for (const line of status.split('\n')) {
    if (!line.startsWith(PREFIX)) continue;
    const [word = '', first = '', ...others] = line.slice(PREFIX.length).split(' ');
    const verdict = VERDICTS.get(word);
    if (verdict !== undefined) {
      // Several signatures are not what a pusher makes: none of them is believed.
      if (++verdicts > 1) return { status: 'E' };
      check.status = verdict;
      check.key = first;
      if (verdict !== 'E') check.signer = others.join(' ');
    } else if (word === 'VALIDSIG') {
      check.fingerprint = first;
    } else if (word.startsWith('TRUST_')) {
      const trust = TRUST[word.slice('TRUST_'.length)];
      if (trust === undefined) return { status: 'E' };
      check.trust = trust;
    }
  }
  return verdicts > 0 ? { trust: 'undefined', ...check } : check;
}

/** @param output of `ssh-keygen -Y verify` or `-Y check-novalidate`: its first line counts */
export function readSshStatus(output: string): SignatureCheck {
  const [line = ''] = output.split('\n');
  // A principal may hold anything, " with " included: the last one is ours.
  const known = /^Good "git" signature for (.*) with (.*)$/.exec(line);
  const [, keyText] = known?.slice(1) ?? ['', /^Good "git" signature with (.*)$/.exec(line)?.[1]];
  const key = keyText === undefined ? undefined : /key (.*)$/.exec(keyText)?.[1];
  if (key === undefined) return { status: 'B', trust: 'never' };
  if (known === null) return { status: 'G', trust: 'undefined', key, fingerprint: key };
  return { status: 'G', trust: 'fully', signer: known[1], key, fingerprint: key };
}
