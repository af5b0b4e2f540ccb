/**
 * Repositories made by git for reading tests, and what git itself says is in them.
 *
 * @module
 */
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { git, gitBytes, scratchDirectory } from './git.ts';

export interface KnownObject {
  readonly id: string;
  readonly kind: string;
  readonly content: Buffer;
}

/**
 * A bare repository with some hundred objects: files that change a little with each commit (so that they are
 * stored as long chains of deltas), directories, a tag, an empty blob and one too large for a single window.
 */
export async function historyRepository(
  context: Pick<TestContext, 'after'>,
  { commits = 60, objectFormat = 'sha1' }: { commits?: number; objectFormat?: string } = {},
): Promise<string> {
  const directory = join(await scratchDirectory(context), 'repo.git');
  git(
    '/',
    'init',
    '--quiet',
    '--bare',
    `--object-format=${objectFormat}`,
    '--initial-branch=main',
    directory,
  );
  git({ cwd: directory, input: historyStream(commits) }, 'fast-import', '--quiet');
  git(directory, 'tag', '-a', '-m', 'A tag', 'v1', 'main');
  return directory;
}

function historyStream(commits: number): string {
  const lines: string[] = [];
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const paragraphs = Array.from({ length: 200 }, (_, i) => `paragraph ${i} ${'x'.repeat(i % 60)}`);
  let noise = 1;
  for (let n = 0; n < commits; n++) {
    paragraphs[(n * 7) % paragraphs.length] = `changed in commit ${n}`;
    lines.push('commit refs/heads/main');
    lines.push(`committer A U Thor <author@example.com> ${1112911993 + n} -0700`);
    lines.push(data(`Commit ${n}`).trimEnd());
    lines.push(`M 100644 inline text.txt\n${data(paragraphs.join('\n'))}`.trimEnd());
    lines.push(`M 100644 inline dir/file-${n % 10}.txt\n${data(`file ${n}\n`)}`.trimEnd());
    if (n === 0) {
      let large = '';
      for (let i = 0; i < 40_000; i++) {
        noise = (noise * 48271) % 2147483647;
        large += noise.toString(36);
      }
      lines.push(`M 100755 inline large.bin\n${data(large)}`.trimEnd());
      lines.push('M 100644 inline empty\ndata 0\n');
    }
  }
  return `${lines.join('\n')}\ndone\n`;
}

/** Every object of the repository, as `git cat-file --batch` gives it. */
export function allObjects(directory: string): KnownObject[] {
  const output = gitBytes(directory, 'cat-file', '--batch', '--batch-all-objects');
  const objects: KnownObject[] = [];
  for (let at = 0; at < output.length; ) {
    const newline = output.indexOf(10, at);
    const [id = '', kind = '', size = ''] = output.toString('latin1', at, newline).split(' ');
    const end = newline + 1 + Number(size);
    objects.push({ id, kind, content: output.subarray(newline + 1, end) });
    at = end + 1;
  }
  return objects;
}
