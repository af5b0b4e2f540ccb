/**
 * The configuration file: what may be written in it. Every member may be left out.
 *
 * Sizes are bytes, times milliseconds, as numbers or as text with a unit: see units.ts.
 *
 * @module
 */
import * as z from 'zod';
import { admissionMembers } from './admission-members.ts';
import { httpSettings } from './http-settings.ts';
import { limitSettings } from './limit-settings.ts';
import { accessRules } from './rule-settings.ts';
import {
  addresses,
  choice,
  count,
  duration,
  flag,
  group,
  headerName,
  members,
  networks,
  optional,
  path,
  setting,
  size,
  structure,
  text,
  webAddress,
} from './setting-types.ts';

/** Where a server listens when nothing is said. */
export const DEFAULT_HTTP = '127.0.0.1:8080';

export const configSchema = members({
  $schema: z.string().meta({ description: 'For editors: where this schema is.' }).optional(),
  root: setting(path(), 'Directory whose bare repositories are served.', './repos'),
  create: setting(flag(), 'Make a repository on the first push to a new name, and the root itself.', false),
  readOnly: setting(flag(), 'Refuse pushes.', false),

  listen: group('Where to listen. Port 0 takes a free one; without a host it is 127.0.0.1.', {
    http: optional(addresses(), `HTTP. By default ${DEFAULT_HTTP}, unless https or ssh are given.`),
    https: setting(addresses(), 'HTTP over TLS.', []),
    ssh: setting(addresses(), 'SSH.', []),
    git: setting(addresses(), 'For git://, fetches and archives by anonymous clients only.', []),
  }),
  tls: group('What the server proves itself with on https listeners. Files in PEM.', {
    certificate: optional(path(), 'Its certificate, and those up to its authority.'),
    key: optional(path(), 'The private key; others may not read it.'),
    clientAuthorities: optional(
      path(),
      'Authorities whose certificates clients may show; whose they are is in the access file, or for the application to say.',
    ),
  }),
  http: httpSettings,
  ssh: group('The SSH listeners.', {
    hostKeys: setting(path(), 'Directory of the host keys; made on the first start.', 'ssh-host-keys'),
    passwords: setting(flag(), 'Whether tokens are taken as passwords.', false),
    greeting: setting(flag(), 'Whether those who ask for a shell are greeted by their name.', true),
    maxConnections: setting(count(), 'Connections at a time.', 2_000),
    maxConnectionsPerAddress: setting(count(), 'Of these, those of one address; for IPv6 of a /64.', 200),
    maxUnauthenticated: setting(count(), 'Connections that have not proved who they are.', 100),
    maxUnauthenticatedPerAddress: setting(count(), 'Of these, those of one address.', 30),
    loginGraceMs: setting(duration(), 'Time to do it in.', '30s'),
    maxAuthTries: setting(count(), 'Keys, certificates and passwords tried in one connection.', 6),
    maxSessions: setting(count(), 'Commands at a time in one connection.', 10),
    keepaliveMs: setting(duration(), 'Time between questions whether a client is still there.', '15s'),
  }),
  proxies: group('Servers in front of this one whose word about clients is taken.', {
    trusted: setting(networks(), 'Their addresses. Nobody else is believed.', []),
    userHeader: optional(headerName(), 'Header in which they say who the user is.'),
    forwardedHeader: setting(
      choice(['x-forwarded-for', 'forwarded']),
      'Header in which they say where the client is.',
      'x-forwarded-for',
    ),
    proxyProtocol: setting(
      flag(),
      'Whether they send a PROXY header, version 1 or 2, on every connection.',
      false,
    ),
  }),
  access: group('Who may do what.', {
    file: optional(path(), 'Users, their tokens and keys: see `packwire help user`.'),
    rules: optional(
      structure(accessRules),
      'What is allowed. Without rules and application, users of the file may do everything but administer.',
    ),
    application: group('A program that decides instead: see docs/application-api.yaml.', {
      url: optional(webAddress(), 'Questions go to addresses below it: https, or http to this machine.'),
      secretFile: optional(path(), 'File with the secret that is sent along; others may not read it.'),
      timeoutMs: setting(duration(), 'Time for one answer.', '5s'),
      retries: setting(count({ least: 0, most: 10 }), 'How often a question without answer is repeated.', 2),
      maxRunning: setting(count(), 'Questions at a time.', 64),
      plainHttp: setting(flag(), 'Let secrets cross a network in plain http.', false),
    }),
    realm: setting(text(), 'What prompts for a password show.', 'packwire'),
    insecureAnonymous: setting(
      flag(),
      'Whoever reaches a port may do everything, also from other machines.',
      false,
    ),
  }),
  limits: limitSettings,
  admission: admissionMembers,
  fetch: group('Fetches and clones.', {
    wants: optional(
      choice(['advertised', 'reachable', 'any']),
      'Which objects may be fetched by id: tips of refs, what they reach (the default), or any.',
    ),
    dumb: optional(
      flag(),
      'Whether stored files are served to clients of the dumb protocol, which gives them every object. By default only where access says nothing, and wants is not given or any.',
    ),
  }),
  push: group('Pushes.', {
    denyDeletes: setting(flag(), 'Refuse to delete branches.', false),
    denyNonFastForwards: setting(flag(), 'Refuse to rewrite branches.', false),
    collisionDetection: setting(flag(), 'Look for SHA-1 collision attacks in what is pushed.', true),
    fsckObjects: optional(
      flag(),
      'Refuse objects that git fsck --strict finds wrong, among them those made to attack clients. By default what receive.fsckObjects of each repository says.',
    ),
  }),
  hooks: setting(
    choice(['own', 'any', 'none']),
    "Whose hooks are run: those of repositories that belong to the server's user, any, or none.",
    'own',
  ),
  cacheBytes: setting(size({ least: 0 }), 'Memory for what later requests may need.', '128m'),
  keepOpenMs: setting(duration(), 'Time after which a repository that nobody uses is closed.', '5m'),
  drainMs: setting(duration({ least: 0 }), 'Time that running requests have when the server stops.', '10s'),
  accessLog: setting(flag(), 'Write one line for each request to standard error.', true),
  health: group('Whether the server lives and is ready, also told below /-/ of every HTTP listener.', {
    listen: setting(addresses(), 'Listeners for nothing else.', []),
  }),
}).meta({ title: 'Configuration of packwire serve' });

/** The settings, defaults filled in, paths and addresses as they were written. */
export type Settings = z.output<typeof configSchema>;
