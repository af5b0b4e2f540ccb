/**
 * `packwire token`: the access tokens of an access file.
 *
 * @module
 */
import { parseAccessToken } from '../server/access/access-token.ts';
import {
  ACCESS_FILE_HELP,
  ACCESS_FILE_OPTIONS,
  CREDENTIAL_HELP,
  CREDENTIAL_OPTIONS,
  locateAccessFile,
  readRestrictions,
} from './access-file-options.ts';
import { readArguments, usageError } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { writeText } from './output.ts';
import { formatTable } from './table.ts';

export const tokenCommand: Command = {
  name: 'token',
  summary: 'make, list and revoke access tokens',
  usage: [
    'token create [<options>] [--access=<file>] <user>',
    'token list [--access=<file>] [<user>]',
    'token revoke [--access=<file>] <id>...',
  ],
  description: `
A token is the password of a user over HTTP, with any user name, or a Bearer token. Only its hash is kept.

    create                print a new token, alone, on standard output: it is not shown again
    list                  print what is known of tokens: their ids, never their secrets
    revoke                forget tokens, by id or by all of their text; servers refuse them within a second
${CREDENTIAL_HELP}
${ACCESS_FILE_HELP}`,

  async run(args, world) {
    const { values, positionals } = readArguments(args, { ...CREDENTIAL_OPTIONS, ...ACCESS_FILE_OPTIONS });
    const [verb, ...rest] = positionals;
    const [first, ...more] = rest;
    switch (verb) {
      case 'create': {
        if (first === undefined || more.length > 0) throw usageError('Expected one user');
        const restrictions = readRestrictions(values, Date.now());
        return create(await locateAccessFile(values, world), first, restrictions, world);
      }
      case 'list':
        if (more.length > 0) throw usageError('Expected one user');
        return list(await locateAccessFile(values, world), first, world);
      case 'revoke':
        if (first === undefined) throw usageError('Expected the id of a token');
        return revoke(await locateAccessFile(values, world), rest, world);
      default:
        throw usageError('Expected create, list or revoke');
    }
  },
};

async function create(
  path: string,
  user: string,
  restrictions: ReturnType<typeof readRestrictions>,
  world: CommandWorld,
): Promise<number> {
  const { editAccessFile } = await import('../server/people/edit-access-file.ts');
  const { addToken } = await import('../server/people/change-people.ts');
  const { id, text } = await editAccessFile(path, (contents) => addToken(contents, user, restrictions));
  const until =
    restrictions.expiresAt === undefined ? 'until it is revoked' : `until ${restrictions.expiresAt}`;
  await writeText(world.errors, `token ${id} of ${user}, good ${until}; it is not shown again:\n`);
  await writeText(world.output, `${text}\n`);
  return 0;
}

async function list(path: string, wanted: string | undefined, world: CommandWorld): Promise<number> {
  const { readAccessContents } = await import('../server/people/edit-access-file.ts');
  const { tokens = [] } = await readAccessContents(path);
  const rows = tokens
    .filter(({ user }) => wanted === undefined || user === wanted)
    .map(({ id, user, scope = 'all', repositories, expiresAt = 'never', comment = '' }) => [
      id,
      user,
      scope,
      repositories?.join(',') ?? 'all',
      expiresAt,
      comment,
    ]);
  const titles = ['ID', 'USER', 'SCOPE', 'REPOSITORIES', 'EXPIRES', 'COMMENT'];
  await writeText(world.output, formatTable(titles, rows));
  return 0;
}

async function revoke(path: string, texts: readonly string[], world: CommandWorld): Promise<number> {
  const { editAccessFile } = await import('../server/people/edit-access-file.ts');
  const { revokeToken } = await import('../server/people/change-people.ts');
  const ids = texts.map((text) => parseAccessToken(text)?.id ?? text);
  const secret = ids.find((id) => id.startsWith('pw_')); // not to be repeated in a message
  if (secret !== undefined)
    throw usageError('Expected the id of a token: what is between pw_ and the next _');
  await editAccessFile(path, (contents) => {
    for (const id of ids) revokeToken(contents, id);
  });
  await writeText(world.errors, ids.map((id) => `revoked ${id}\n`).join(''));
  return 0;
}
