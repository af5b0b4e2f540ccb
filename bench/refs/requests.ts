/**
 * Requests about refs as bytes on the wire: what git sends before a fetch or a clone.
 *
 * @module
 */
const DELIMITER = '0001';
const FLUSH = '0000';

/** What `git clone` and `git fetch` ask for with their default refspecs. */
export const CLONE_PREFIXES: readonly string[] = ['HEAD', 'refs/heads/', 'refs/tags/'];

export function infoRefs(repository: string, version: 0 | 2): Buffer {
  const protocol = version === 2 ? 'git-protocol: version=2\r\n' : '';
  return Buffer.from(
    `GET /${repository}/info/refs?service=git-upload-pack HTTP/1.1\r\n${COMMON}${protocol}\r\n`,
    'latin1',
  );
}

export function lsRefs(repository: string, prefixes: readonly string[]): Buffer {
  const lines = ['peel\n', 'symrefs\n', 'unborn\n', ...prefixes.map((prefix) => `ref-prefix ${prefix}\n`)];
  return command(repository, 'ls-refs', lines);
}

/** One commit wanted whose parent is held. */
export function fetchOne(repository: string, want: string, have: string): Buffer {
  const options = ['thin-pack\n', 'no-progress\n', 'ofs-delta\n'];
  return command(repository, 'fetch', [...options, `want ${want}\n`, `have ${have}\n`, 'done\n']);
}

/** Everything that `wants` lead to. */
export function fetchAll(repository: string, wants: readonly string[]): Buffer {
  const options = ['no-progress\n', 'ofs-delta\n'];
  return command(repository, 'fetch', [...options, ...wants.map((id) => `want ${id}\n`), 'done\n']);
}

function command(repository: string, name: string, lines: readonly string[]): Buffer {
  const head = [packet(`command=${name}\n`), packet('agent=git/2.39.5'), packet('object-format=sha1')];
  const body = [...head, DELIMITER, ...lines.map(packet), FLUSH].join('');
  return Buffer.from(
    `POST /${repository}/git-upload-pack HTTP/1.1\r\n${COMMON}git-protocol: version=2\r\n` +
      'content-type: application/x-git-upload-pack-request\r\n' +
      `accept: application/x-git-upload-pack-result\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    'latin1',
  );
}

const COMMON = 'host: 127.0.0.1\r\nuser-agent: git/2.39.5\r\naccept-encoding: deflate, gzip, br, zstd\r\n';

function packet(line: string): string {
  return (line.length + 4).toString(16).padStart(4, '0') + line;
}
