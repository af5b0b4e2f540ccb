/**
 * What is wrong with settings that are right each for itself.
 *
 * @module
 */
import { isGitError } from '../../core/errors.ts';
import { parseApplicationUrl } from '../access/application-address.ts';
import {
  formatListenAddress,
  isLoopback,
  type ListenAddress,
  parseListenAddress,
} from '../listen-address.ts';
import type { Settings } from './config-schema.ts';
import type { PathStep, Problem } from './problem.ts';

/** Something wrong at a place. */
export interface Finding {
  readonly severity: Problem['severity'];
  readonly path: readonly PathStep[];
  readonly sentence: string;
}

export function checkSettings(settings: Settings): Finding[] {
  return [
    ...checkListeners(settings),
    ...checkTls(settings),
    ...checkProxies(settings),
    ...checkAccess(settings),
    ...checkExposure(settings),
    ...checkPlainHttp(settings),
    ...checkFetch(settings),
  ];
}

const error = (path: readonly PathStep[], sentence: string): Finding => ({
  severity: 'error',
  path,
  sentence,
});
const warning = (path: readonly PathStep[], sentence: string): Finding => ({
  severity: 'warning',
  path,
  sentence,
});

interface PlacedAddress extends ListenAddress {
  readonly path: readonly PathStep[];
}

function listeners({ listen, health }: Settings): PlacedAddress[] {
  const placed = (texts: readonly string[] | undefined, path: readonly string[]): PlacedAddress[] =>
    (texts ?? []).flatMap((text, at) => {
      const address = parseListenAddress(text);
      return address === undefined ? [] : [{ ...address, path: [...path, at] }];
    });
  return [
    ...(['http', 'https', 'ssh', 'git'] as const).flatMap((door) => placed(listen[door], ['listen', door])),
    ...placed(health.listen, ['health', 'listen']),
  ];
}

function checkListeners(settings: Settings): Finding[] {
  const seen: PlacedAddress[] = [];
  const findings: Finding[] = [];
  for (const address of listeners(settings)) {
    const other = seen.find((earlier) => overlaps(earlier, address));
    if (other !== undefined) {
      const place = `${other.path.slice(0, -1).join('.')} (${formatListenAddress(other)})`;
      findings.push(error(address.path, `${formatListenAddress(address)} is taken by ${place}`));
    }
    seen.push(address);
  }
  const { http, https, ssh, git } = settings.listen;
  if (http?.length === 0 && https.length + ssh.length + git.length === 0) {
    findings.push(error(['listen', 'http'], 'the server would listen nowhere'));
  }
  return findings;
}

const EVERYWHERE: readonly string[] = ['0.0.0.0', '::'];

function overlaps(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || EVERYWHERE.includes(a.host) || EVERYWHERE.includes(b.host);
}

function checkTls({ tls, listen: { https } }: Settings): Finding[] {
  const { certificate, key, clientAuthorities } = tls;
  const findings: Finding[] = [];
  if (certificate !== undefined && key === undefined) {
    findings.push(error(['tls', 'certificate'], 'a certificate needs its private key: give tls.key'));
  }
  if (key !== undefined && certificate === undefined) {
    findings.push(error(['tls', 'key'], 'a private key needs its certificate: give tls.certificate'));
  }
  const any = certificate ?? key ?? clientAuthorities;
  if (https.length > 0 && certificate === undefined && key === undefined) {
    findings.push(error(['listen', 'https'], 'https needs tls.certificate and tls.key'));
  }
  if (https.length === 0 && any !== undefined) {
    findings.push(warning(['tls'], 'nothing listens for https: give listen.https'));
  }
  return findings;
}

function checkProxies({ proxies }: Settings): Finding[] {
  const { trusted, userHeader, proxyProtocol } = proxies;
  if (trusted.length > 0) return [];
  const findings: Finding[] = [];
  if (userHeader !== undefined) {
    findings.push(error(['proxies', 'userHeader'], 'whose header? Give the proxies in proxies.trusted'));
  }
  if (proxyProtocol) {
    findings.push(error(['proxies', 'proxyProtocol'], 'whose header? Give the proxies in proxies.trusted'));
  }
  return findings;
}

const NOBODY_KNOWN = 'nobody is known by it: give access.file or access.application';

function checkAccess({ access, listen, proxies, tls, ssh }: Settings): Finding[] {
  const { file, rules, application, insecureAnonymous } = access;
  const { url, secretFile } = application;
  const findings: Finding[] = [];
  const sub = ['access', 'application'];
  if (url !== undefined && secretFile === undefined) {
    findings.push(
      error([...sub, 'url'], 'the application cannot know who asks: give access.application.secretFile'),
    );
  }
  if (url !== undefined) {
    const sentence = complaintAbout(url, application.plainHttp);
    if (sentence !== undefined) findings.push(error([...sub, 'url'], sentence));
  }
  if (url === undefined && secretFile !== undefined) {
    findings.push(error([...sub, 'secretFile'], 'for which application? Give access.application.url'));
  }
  if (url !== undefined && rules !== undefined) {
    findings.push(
      error(['access', 'rules'], 'either rules decide or access.application does: leave one out'),
    );
  }
  if (listen.ssh.length > 0 && file === undefined && url === undefined) {
    findings.push(
      error(
        ['listen', 'ssh'],
        'clients of SSH are known by their keys: give access.file or access.application',
      ),
    );
  }
  if (insecureAnonymous && (file ?? rules ?? url) !== undefined) {
    findings.push(
      error(['access', 'insecureAnonymous'], 'the rest of access would mean nothing: leave one out'),
    );
  }
  const isAnybodyKnown = (file ?? url) !== undefined;
  if (!isAnybodyKnown && rules?.some(({ subjects }) => subjects.some((name) => name !== '@all')) === true) {
    findings.push(warning(['access', 'rules'], 'nobody has a name here: give access.file'));
  }
  if (!isAnybodyKnown && proxies.userHeader !== undefined) {
    findings.push(error(['proxies', 'userHeader'], NOBODY_KNOWN));
  }
  if (!isAnybodyKnown && tls.clientAuthorities !== undefined) {
    findings.push(error(['tls', 'clientAuthorities'], NOBODY_KNOWN));
  }
  if (ssh.passwords && listen.ssh.length === 0) {
    findings.push(warning(['ssh', 'passwords'], 'nothing listens for SSH: give listen.ssh'));
  }
  return findings;
}

function complaintAbout(url: string, plainHttp: boolean): string | undefined {
  try {
    parseApplicationUrl(url, plainHttp);
    return undefined;
  } catch (problem) {
    if (!isGitError(problem, 'INVALID_ARGUMENT')) throw problem;
    return problem.message;
  }
}

/** Anonymous clients from other machines, without a word from the operator that they are meant. */
function checkExposure(settings: Settings): Finding[] {
  const { file, rules, application, insecureAnonymous } = settings.access;
  if (insecureAnonymous || (file ?? rules ?? application.url) !== undefined) return [];
  const exposed = (path: readonly PathStep[], how: string): Finding =>
    error(
      path,
      `${how}, and whoever reaches it may do everything: say who may what with access.file, access.rules or ` +
        'access.application, or that this is meant with access.insecureAnonymous',
    );
  const open = listeners(settings).filter(
    ({ host, path: [place, door] }) => place === 'listen' && door !== 'ssh' && !isLoopback(host),
  );
  return [
    ...open.map(({ host, path }) => exposed(path, `${host} can be reached from other machines`)),
    ...(settings.proxies.trusted.length === 0
      ? []
      : [exposed(['proxies', 'trusted'], 'these bring clients from other machines to the server')]),
  ];
}

/** Tokens and what is fetched with them, for everybody on the way to read. A proxy that is trusted may do TLS. */
function checkPlainHttp(settings: Settings): Finding[] {
  const { file, application } = settings.access;
  if ((file ?? application.url) === undefined || settings.proxies.trusted.length > 0) return [];
  return listeners(settings)
    .filter(({ host, path }) => path[0] === 'listen' && path[1] === 'http' && !isLoopback(host))
    .map(({ host, path }) =>
      warning(
        path,
        `${host} can be reached from other machines, and tokens cross the network in the clear: use listen.https`,
      ),
    );
}

function checkFetch({ fetch: { wants, dumb } }: Settings): Finding[] {
  if (dumb !== true || wants !== 'advertised') return [];
  return [
    warning(['fetch', 'dumb'], `gives every object to everybody who may read, whatever fetch.wants says`),
  ];
}
