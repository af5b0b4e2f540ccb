import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { after, type TestContext } from 'node:test';
import { git, gitAsync, scratchDirectory } from '../support/git.ts';
import { runHere } from './run-packwire.ts';

/** A bare repository of one pack with delta chains. */
async function packedRepository(...initOptions: string[]) {
  const directory = join(await scratchDirectory({ after: after as TestContext['after'] }), 'r');
  git('/', 'init', '-q', ...initOptions, directory);
  for (let i = 0; i < 8; i++) {
    const lines = Array.from({ length: 200 }, (_, n) => `line ${n} ${n % 12 === i ? i : ''}`);
    writeFileSync(join(directory, 'file.txt'), lines.join('\n'));
    git(directory, 'add', '.');
    git(directory, 'commit', '-qm', `commit ${i}`);
  }
  git(directory, 'repack', '-adq');
  const packs = join(directory, '.git/objects/pack');
  const name = (readdirSync(packs).find((file) => file.endsWith('.idx')) as string).replace('.idx', '');
  return { packs, name };
}

const sha1 = await packedRepository();

for (const args of [[], ['-v'], ['-s'], ['-v', '-s']]) {
  for (const suffix of ['.idx', '.pack', '']) {
    test(`verify-pack ${[...args, `<pack>${suffix}`].join(' ')} prints what git prints`, async () => {
      const { packs, name } = sha1;
      const theirs = await gitAsync(packs, 'verify-pack', ...args, `${name}${suffix}`);
      const ours = await runHere(['verify-pack', ...args, `${name}${suffix}`], { cwd: packs });
      assert.deepEqual(ours, theirs);
    });
  }
}

test('verify-pack reads SHA-256 packs when told so, and version 1 indexes', async () => {
  const { packs, name } = await packedRepository('--object-format=sha256');
  const theirs = await gitAsync(packs, 'verify-pack', '-v', '--object-format=sha256', `${name}.idx`);
  const args = ['-v', '--object-format=sha256', `${name}.idx`];
  assert.deepEqual(await runHere(['verify-pack', ...args], { cwd: packs }), theirs);

  git(sha1.packs, 'index-pack', '--index-version=1', '-o', 'v1.idx', `${sha1.name}.pack`);
  writeFileSync(join(sha1.packs, 'v1.pack'), readFileSync(join(sha1.packs, `${sha1.name}.pack`)));
  assert.equal((await runHere(['verify-pack', 'v1.idx'], { cwd: sha1.packs })).status, 0);
});

test('verify-pack finds any changed byte of a pack, of its index and of its reverse index', async () => {
  const { packs, name } = sha1;
  git(packs, 'index-pack', '--rev-index', '-o', 'copy.idx', `${name}.pack`);
  for (const extension of ['pack', 'idx', 'rev']) {
    const source = extension === 'pack' ? `${name}.pack` : `copy.${extension}`;
    const whole = readFileSync(join(packs, source));
    for (let step = 0; step < 12; step++) {
      for (const other of ['idx', 'rev']) {
        writeFileSync(join(packs, `broken.${other}`), readFileSync(join(packs, `copy.${other}`)));
      }
      writeFileSync(join(packs, 'broken.pack'), readFileSync(join(packs, `${name}.pack`)));
      const broken = Buffer.from(whole);
      broken[Math.floor((step * (whole.length - 1)) / 11)]! ^= 0x10;
      writeFileSync(join(packs, `broken.${extension}`), broken);
      const result = await runHere(['verify-pack', '-v', 'broken.idx'], { cwd: packs });
      assert.equal(result.status, 1, `byte of step ${step} in .${extension}`);
      assert.match(result.stderr, /^fatal: /);
      assert.equal(result.stdout, 'broken.pack: bad\n');
    }
  }
});

test('verify-pack checks every pack it is given', async () => {
  const { packs, name } = sha1;
  const result = await runHere(['verify-pack', '-s', 'absent.idx', `${name}.idx`], { cwd: packs });
  assert.equal(result.status, 1);
  assert.match(result.stderr, /^fatal: cannot open .*absent\.pack/);
  assert.match(result.stdout, /^absent\.pack: bad\nnon delta: /);
});
