/**
 * Signatures checked by the programs git would run: gpg, gpgsm, ssh-keygen.
 * Spec: git-config(1), "gpg.<format>.program", "gpg.ssh.allowedSignersFile"; git's gpg-interface.c.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { decodeLatin1 } from '../../../core/bytes.ts';
import { GitError } from '../../../core/errors.ts';
import type { GitConfig } from '../../git-config.ts';
import { type SignatureCheck, type SignatureFormat, signatureFormatOf } from '../../push/push-certificate.ts';
import type { SignatureVerifier, SignedText, VerifyOptions } from '../../push/signature-verifier.ts';
import { pathValue } from '../config/config-path.ts';
import { type Captured, captureProgram } from './capture-program.ts';
import { hookEnvironment } from './files-hooks.ts';
import { readGpgStatus, readSshStatus } from './gpg-status.ts';

/**
 * A verifier for one repository of files. Which program is run is said by protected configuration alone: whoever can only write
 * to the repository names the files of keys, as with git, but no program.
 *
 * @param home what `~/` in a path stands for
 */
export function signaturePrograms(
  gitDirectory: string,
  config: GitConfig,
  home: string | undefined,
): SignatureVerifier {
  const programs = config.protected;
  const programOf = (format: SignatureFormat): string => {
    const legacy = format === 'openpgp' ? programs.get('gpg.program') : undefined;
    return programs.get(`gpg.${format}.program`) ?? legacy ?? DEFAULT_PROGRAMS[format];
  };
  const fileOf = (name: string): string | undefined => {
    const value = config.get(name);
    const path = value === undefined || value === '' ? undefined : pathValue(value, home);
    return path === undefined ? undefined : resolve(gitDirectory, path);
  };
  return async (signed, options) => {
    const format = signatureFormatOf(
      decodeLatin1(signed.signature, 0, Math.min(signed.signature.length, 40)),
    );
    if (format === undefined) return { status: 'N' };
    const directory = await mkdtemp(join(tmpdir(), 'packwire-signature-'));
    try {
      const signatureFile = join(directory, 'signature');
      await writeFile(signatureFile, signed.signature, { mode: 0o600 });
      const run = (args: readonly string[], input = signed.payload): Promise<Captured> =>
        captureProgram({
          file: programOf(format),
          args,
          directory: gitDirectory,
          environment: hookEnvironment({ GIT_DIR: undefined }),
          input,
          ...options,
        });
      if (format !== 'ssh') return await checkWithGpg(format, signatureFile, run);
      const files = {
        signature: signatureFile,
        allowedSigners: fileOf('gpg.ssh.allowedSignersFile'),
        revoked: fileOf('gpg.ssh.revocationFile'),
      };
      return await checkWithSsh(files, run, options);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
}

const DEFAULT_PROGRAMS: Readonly<Record<SignatureFormat, string>> = {
  openpgp: 'gpg',
  x509: 'gpgsm',
  ssh: 'ssh-keygen',
};

/** Runs the program with its arguments on the signed text, or on what it is given. */
type Run = (args: readonly string[], input?: SignedText['payload']) => Promise<Captured>;

async function checkWithGpg(
  format: SignatureFormat,
  signatureFile: string,
  run: Run,
): Promise<SignatureCheck> {
  const compatible = format === 'openpgp' ? ['--keyid-format=long'] : [];
  const { output } = await run([...compatible, '--status-fd=1', '--verify', signatureFile, '-']);
  return readGpgStatus(output);
}

interface SshFiles {
  readonly signature: string;
  readonly allowedSigners: string | undefined;
  /** Keys that count no more. */
  readonly revoked: string | undefined;
}

/** Who of the allowed signers it may be is asked first; then whether it is one of them. */
async function checkWithSsh(
  files: SshFiles,
  run: Run,
  { onProblem }: VerifyOptions,
): Promise<SignatureCheck> {
  const { signature, allowedSigners, revoked } = files;
  if (allowedSigners === undefined) {
    const message = 'Cannot check an ssh signature: gpg.ssh.allowedSignersFile is not configured';
    onProblem(new GitError('UNSUPPORTED', message));
    return { status: 'N' };
  }
  const found = await run(
    ['-Y', 'find-principals', '-f', allowedSigners, '-s', signature],
    new Uint8Array(0),
  );
  const principals = found.exitCode === 0 ? found.output.split(/\r?\n/).filter((line) => line !== '') : [];
  if (principals.length === 0) {
    const { output } = await run(['-Y', 'check-novalidate', '-n', 'git', '-s', signature]);
    return readSshStatus(output);
  }
  const isRevocable = revoked !== undefined && existsSync(revoked);
  if (revoked !== undefined && !isRevocable) {
    const message = 'Cannot look for revoked keys: the file of gpg.ssh.revocationFile does not exist';
    onProblem(new GitError('STORAGE_FAILED', message, { file: revoked }));
  }
  const revocations = isRevocable ? ['-r', revoked] : [];
  let output = '';
  for (const principal of principals) {
    const args = ['-Y', 'verify', '-n', 'git', '-f', allowedSigners, '-I', principal, '-s', signature];
    const answer = await run([...args, ...revocations]);
    output = answer.output;
    if (answer.exitCode === 0 && output.startsWith('Good')) break;
  }
  return readSshStatus(output);
}
