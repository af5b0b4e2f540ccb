/**
 * From what somebody shows to the user of the access file that they are.
 *
 * @module
 */
import type { Evidence } from './application-authorizer.ts';
import type { Identify } from './identities.ts';
import type { People } from './people.ts';
import type { Credential, Subject } from './subject.ts';
import { authenticateToken } from './token-authenticator.ts';

/** The login name that all users of an SSH server share, and that is nobody's: `git@host:app`. */
const SHARED_LOGIN = 'git';

/**
 * Keys and certificates of SSH count for `git@`, and for the login that is the user's own name, as with OpenSSH where
 * each user has an account; for any other login they are nobody's.
 *
 * The principals of a certificate are names of users, as OpenSSH has it without AuthorizedPrincipalsFile: with a login
 * of one's own, one of them must be that name. With `git@` there must be exactly one that is a user here: of several
 * none could be chosen without guessing.
 *
 * Passwords are tokens, whatever the user name beside them; other passwords there are none.
 */
export function identifyAmong(people: People, now: () => number = Date.now): Identify {
  return async (evidence) => {
    switch (evidence.kind) {
      case 'token':
      case 'password':
        return authenticateToken(people, evidence.secret, now());
      case 'ssh-key':
        return ofKey(people, evidence);
      case 'ssh-certificate':
        return ofSshCertificate(people, evidence);
      case 'tls-certificate': {
        const user = await people.userOfTlsCertificate?.(evidence);
        return user === undefined
          ? undefined
          : named(people, user, credential(evidence.kind, evidence.fingerprint));
      }
      case 'proxy':
        return named(people, evidence.user, credential('proxy', evidence.user));
    }
  };
}

async function ofKey(
  people: People,
  { user: login, fingerprint }: Extract<Evidence, { kind: 'ssh-key' }>,
): Promise<Subject | undefined> {
  const subject = await people.userOfKey(fingerprint);
  return login === SHARED_LOGIN || login === subject?.name ? subject : undefined;
}

async function ofSshCertificate(
  people: People,
  { user: login, keyId, serial, principals }: Extract<Evidence, { kind: 'ssh-certificate' }>,
): Promise<Subject | undefined> {
  const shown = credential('ssh-certificate', `${keyId} serial ${serial}`);
  if (login !== SHARED_LOGIN) {
    return principals.includes(login) ? named(people, login, shown) : undefined;
  }
  const users: Subject[] = [];
  for (const name of new Set(principals)) {
    const subject = name === SHARED_LOGIN ? undefined : await named(people, name, shown);
    if (subject !== undefined) users.push(subject);
  }
  return users.length === 1 ? users[0] : undefined;
}

/** @returns `undefined` when there is no such user any more */
async function named(people: People, name: string, shown: Credential): Promise<Subject | undefined> {
  const groups = name === '' ? undefined : await people.groupsOf(name);
  return groups && { name, groups, credential: shown };
}

function credential(kind: Credential['kind'], id: string): Credential {
  return { kind, id };
}
