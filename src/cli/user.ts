/**
 * `packwire user`: the users of an access file.
 *
 * @module
 */
import { ACCESS_FILE_HELP, ACCESS_FILE_OPTIONS, locateAccessFile } from './access-file-options.ts';
import { readArguments, usageError } from './arguments.ts';
import type { Command, CommandWorld } from './command.ts';
import { writeText } from './output.ts';
import { formatTable } from './table.ts';

export const userCommand: Command = {
  name: 'user',
  summary: 'add, remove and list the users of a server',
  usage: [
    'user add <name> [--group=<group>]... [--access=<file>]',
    'user remove <name> [--group=<group>]... [--access=<file>]',
    'user list [--access=<file>]',
  ],
  description: `
Users have names, groups that rules can be about, and nothing else: they prove who they are with tokens
('packwire token') and SSH keys ('packwire key'). They are kept in the server's access file, which it reads again
within a second. Certificates of TLS are written there by hand, by fingerprint or whole subject:

    "tlsCertificates": [{ "fingerprint": "<SHA-256 in hex>", "user": "alice" },
                        { "subject": "CN=bob,O=Example", "user": "bob" }]

    add                   make a user, or add one that is there to more groups
    remove                remove a user with all tokens, keys and certificates; with --group, take it out of
                          these groups only
    list                  print names, groups, and how many tokens and keys each has
    --group=<group>       without the @ that it has in rules; may be given more than once
${ACCESS_FILE_HELP}`,

  async run(args, world) {
    const { values, positionals } = readArguments(args, {
      group: { type: 'string', multiple: true, default: [] },
      ...ACCESS_FILE_OPTIONS,
    });
    const [verb, ...names] = positionals;
    if (verb !== 'add' && verb !== 'remove' && verb !== 'list')
      throw usageError('Expected add, remove or list');
    if (names.length !== (verb === 'list' ? 0 : 1))
      throw usageError(`Expected ${verb === 'list' ? 'no' : 'one'} name`);
    const path = await locateAccessFile(values, world);
    if (verb === 'list') return list(path, world);
    return (verb === 'add' ? add : remove)(path, names[0] as string, values.group, world);
  },
};

async function add(
  path: string,
  name: string,
  groups: readonly string[],
  world: CommandWorld,
): Promise<number> {
  const { editAccessFile } = await import('../server/people/edit-access-file.ts');
  const { addUser } = await import('../server/people/change-people.ts');
  await editAccessFile(path, (contents) => addUser(contents, name, groups));
  const into = groups.length === 0 ? '' : `, in ${groups.join(', ')}`;
  await writeText(world.errors, `added ${name}${into}\n`);
  return 0;
}

async function remove(
  path: string,
  name: string,
  groups: readonly string[],
  world: CommandWorld,
): Promise<number> {
  const { editAccessFile } = await import('../server/people/edit-access-file.ts');
  const { removeFromGroups, removeUser } = await import('../server/people/change-people.ts');
  if (groups.length > 0) {
    await editAccessFile(path, (contents) => removeFromGroups(contents, name, groups));
    await writeText(world.errors, `removed ${name} from ${groups.join(', ')}\n`);
    return 0;
  }
  const credentialCount = await editAccessFile(path, (contents) => removeUser(contents, name));
  await writeText(world.errors, `removed ${name}, and ${credentialCount} tokens, keys and certificates\n`);
  return 0;
}

async function list(path: string, world: CommandWorld): Promise<number> {
  const { readAccessContents } = await import('../server/people/edit-access-file.ts');
  const { users = {}, tokens = [], keys = [] } = await readAccessContents(path);
  const countOf = (credentials: readonly { readonly user: string }[], name: string): string =>
    String(credentials.filter(({ user }) => user === name).length);
  const rows = Object.entries(users).map(([name, { groups = [] }]) => [
    name,
    groups.join(','),
    countOf(tokens, name),
    countOf(keys, name),
  ]);
  await writeText(world.output, formatTable(['USER', 'GROUPS', 'TOKENS', 'KEYS'], rows));
  return 0;
}
