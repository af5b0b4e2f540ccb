/**
 * The access rules, as they are written in the configuration file.
 *
 * @module
 */
import * as z from 'zod';
import type { Permission } from '../access/access-rules.ts';
import { members, textList } from './setting-types.ts';

const PERMISSIONS = ['read', 'write', 'force', 'delete', 'create', 'admin'] as const satisfies Permission[];

const permissions = z.array(
  z.enum(PERMISSIONS, `must be one of ${PERMISSIONS.join(', ')}`),
  `must be a list of ${PERMISSIONS.join(', ')}`,
);

export const repositoryPatterns = textList(
  'the name of a repository without slash in front and .git behind, such as "team/app", "team/*" or "**"',
  isRepositoryPattern,
).min(1, 'must name one repository at least; "**" is all of them');

const subjects = textList(
  'a user, @group, @users for everybody with a name, or @all for the anonymous too',
  (item) => /^@?[^\s@]+$/.test(item),
).min(1, 'must name somebody; "@all" is everybody');

const refPatterns = textList(
  'a full name of refs, such as "refs/heads/main", "refs/tags/**" or "**"',
  (item) => /^(?:refs\/|\*)/.test(item) && !item.endsWith('/'),
).min(1, 'must name one ref at least; left out, the rule is about all');

export const accessRules = z
  .array(
    members({
      repositories: repositoryPatterns.meta({
        description: 'Names; * stands for anything without a slash, ** for any number of directories.',
      }),
      subjects: subjects.meta({ description: 'Whom the rule is about.' }),
      refs: refPatterns.meta({ description: 'Refs that write, force and delete are about.' }).optional(),
      allow: permissions.meta({ description: 'What they may do.' }).optional(),
      deny: permissions.meta({ description: 'What they may not do, whatever other rules allow.' }).optional(),
    }).refine(({ allow, deny }) => allow !== undefined || deny !== undefined, 'must allow or deny something'),
    'must be a list of rules: [{ "repositories": […], "subjects": […], "allow": […] }]',
  )
  .meta({ description: 'Allowed is what one rule allows and none denies; their order says nothing.' });

function isRepositoryPattern(item: string): boolean {
  return item !== '' && !item.startsWith('/') && !item.endsWith('/') && !item.endsWith('.git');
}
