/**
 * What is behind the doors: one answer to HTTP, SSH and git://, made of a configuration.
 *
 * @module
 */
import type { ByteStream } from '../core/byte-stream.ts';
import { GitError } from '../core/errors.ts';
import type { RepositoryDirectory } from '../repository/node/repository-directory.ts';
import type { PushHooks } from '../repository/push/hooks.ts';
import { createGitServer } from '../transport/http/git-server.ts';
import type { GitServer, Verdict } from '../transport/http/options.ts';
import { gitOverSsh } from '../transport/ssh/git-over-ssh.ts';
import type { SshCommand } from '../transport/ssh/ssh-command.ts';
import type { Admitted } from './access/http-access.ts';
import { ANONYMOUS, isAnonymous, type Subject } from './access/subject.ts';
import type { AccessNotes } from './access-log.ts';
import type { Admission } from './admission/admission.ts';
import { admitClients } from './admission/admit-clients.ts';
import type { ServerConfig } from './config/server-config.ts';
import { pointHeadAtPushedBranch } from './default-branch.ts';
import type { Gatekeeper } from './gatekeeper.ts';
import type { DaemonServerOptions } from './git-daemon.ts';
import type { RepositoryLocator } from './repository-locator.ts';

export interface EngineParts {
  readonly directory: RepositoryDirectory;
  readonly locator: RepositoryLocator;
  readonly gatekeeper: Gatekeeper;
  readonly admission: Admission;
  readonly notes: AccessNotes;
  readonly onError?: ((error: unknown, name: string) => void) | undefined;
}

export interface Engine {
  readonly http: GitServer;
  readonly ssh: (command: SshCommand) => ByteStream;
  readonly git: DaemonServerOptions;
}

const READ_ONLY = 'This server is read-only';

export function createEngine(config: ServerConfig, parts: EngineParts): Engine {
  const { directory, gatekeeper, admission, onError } = parts;
  const { limits, fetch } = config;
  const admit = admitClients(admission);
  const hooks: PushHooks = {
    async postReceive(push) {
      gatekeeper.notify(push);
      if (config.create) await pointHeadAtPushedBranch(push);
    },
  };
  const { collisionDetection, fsckObjects, ...policy } = config.push;
  const push = {
    policy,
    collisionDetection,
    fsckObjects,
    authorizeUpdates: gatekeeper.isOpen ? undefined : gatekeeper.authorizeUpdates,
  };
  const serveSsh = gitOverSsh({
    repositories: (name, { intent }) => directory.resolve(name, intent),
    admit,
    hooks,
    limits,
    fetch: { wantPolicy: fetch.wants },
    push,
  });
  return {
    http: createGitServer({
      repositories: directory,
      authorize: authorizeHttp(config, parts),
      admit,
      hooks,
      limits,
      dumb: fetch.dumb,
      fetch: { wantPolicy: fetch.wants },
      push,
      onError: (error, { name }) => onError?.(error, name),
    }),
    async *ssh(command) {
      const { subject } = command.principal as Admitted;
      admission.takeRate({ identity: subject.name, address: command.login.address });
      if (config.readOnly && command.service === 'git-receive-pack') {
        throw new GitError('ACCESS_DENIED', READ_ONLY);
      }
      yield* serveSsh(command);
    },
    git: {
      limits,
      admit,
      fetch: { wantPolicy: fetch.wants },
      repositories: (name) => directory.resolve(name, 'read'),
      authorize: authorizeGit(parts),
      onError,
    },
  };
}

type AuthorizeHttp = NonNullable<Parameters<typeof createGitServer>[0]['authorize']>;

function authorizeHttp(
  { readOnly }: ServerConfig,
  { gatekeeper, admission, locator, notes }: EngineParts,
): AuthorizeHttp {
  return async ({ operation, name, head, client, signal }): Promise<Verdict> => {
    admission.takeRate({ address: client?.address });
    notes.set(client, { subject: ANONYMOUS, operation });
    const verdict = gatekeeper.isOpen ? ALLOWED : await ask();
    if (!verdict.allow || operation !== 'push') return verdict;
    if (readOnly) return REFUSED_AS_READ_ONLY;
    admission.checkLoad('push'); // git shows a refusal when it asks for the refs, not of what it has sent
    return verdict;

    async function ask(): Promise<Verdict> {
      const { name: repository, mustMake } = await locator.locate(name);
      const authorization = head.header('authorization');
      const onSubject = (subject: Subject): void => notes.set(client, { subject, operation });
      const knock = { operation, repository, authorization, client, mustMake, onSubject, signal };
      const asked = await gatekeeper.http(knock);
      if (asked.allow) {
        const { subject } = asked.principal as Admitted;
        if (!isAnonymous(subject)) admission.takeRate({ identity: subject.name });
      }
      return asked;
    }
  };
}

const ALLOWED: Verdict = { allow: true };
const REFUSED_AS_READ_ONLY: Verdict = { allow: false, status: 403, message: READ_ONLY };

/** Nobody can say there who they are. */
function authorizeGit({ gatekeeper, admission, locator }: EngineParts): DaemonServerOptions['authorize'] {
  return async ({ operation, name, address }) => {
    admission.takeRate({ address });
    if (gatekeeper.isOpen) return true;
    const { name: repository } = await locator.locate(name);
    const request = { subject: ANONYMOUS, repository, operation, transport: 'git', address } as const;
    return (await gatekeeper.authorizer.decide(request)).allowed === true;
  };
}
