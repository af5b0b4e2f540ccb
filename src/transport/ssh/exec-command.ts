/**
 * The command line that git sends over SSH.
 * Spec: git-shell(1); sh(1) for quoting, of which git's clients use single quotes.
 *
 * @module
 */

export type SshService = 'git-upload-pack' | 'git-receive-pack' | 'git-upload-archive';

export interface ExecCommand {
  readonly service: SshService;
  /** As the client gave it: `/team/app.git`, `team/app.git`, `~/app`. */
  readonly path: string;
}

const SERVICES: readonly string[] = ['git-upload-pack', 'git-receive-pack', 'git-upload-archive'];

/** Longest command looked at, in characters: git-shell's own bound. */
const MAX_COMMAND = 4 * 1024 * 1024;

/**
 * `git-upload-pack '/team/app.git'`, with a space for the first dash too: one service, one path, and nothing else.
 *
 * @returns `undefined` for any other command
 */
export function parseExecCommand(command: string): ExecCommand | undefined {
  if (command.length > MAX_COMMAND) return undefined;
  const words = splitWords(command);
  if (words?.[0] === 'git') words.splice(0, 2, `git-${words[1]}`);
  const [service, path, ...more] = words ?? [];
  if (service === undefined || path === undefined || more.length > 0) return undefined;
  // A path that looks like an option never reaches anything that could take it for one.
  if (!SERVICES.includes(service) || path === '' || path.startsWith('-') || path.includes('\0'))
    return undefined;
  return { service: service as SshService, path };
}

/** The words of a simple command. @returns `undefined` when a quote is not closed, or there is more to it than words */
function splitWords(command: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; at++) {
    const character = command[at] as string;
    if (character === ' ' || character === '\t') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (character === "'") {
      const end = command.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word = (word ?? '') + command.slice(at + 1, end);
      at = end;
    } else if (character === '"') {
      const quoted = doubleQuoted(command, at);
      if (quoted === undefined) return undefined;
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else if (character === '\\') {
      if (++at === command.length) return undefined;
      word = (word ?? '') + command[at];
    } else if (SPECIAL.includes(character)) {
      return undefined;
    } else {
      word = (word ?? '') + character;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** What would make a shell do more than split words. */
const SPECIAL = ';&|<>()$`\n\r#*?[]{}';

function doubleQuoted(command: string, start: number): { text: string; end: number } | undefined {
  let text = '';
  for (let at = start + 1; at < command.length; at++) {
    const character = command[at] as string;
    if (character === '"') return { text, end: at };
    if (character === '$' || character === '`') return undefined;
    const escaped = character === '\\' && '"\\$`'.includes(command[at + 1] ?? ' ');
    text += escaped ? command[++at] : character;
  }
  return undefined;
}
