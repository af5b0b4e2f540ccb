/**
 * Capability lists: words after the NUL of the first ref, command or want (v0, v1), one packet each (v2).
 * Spec: gitprotocol-capabilities(5); gitprotocol-v2(5), "Capability Advertisement".
 *
 * @module
 */

/** How this server names itself: `agent=packwire/<version>`. */
export const AGENT = 'packwire/0.1.0';

/** `name` or `name=value`, in order of arrival. A repeated name keeps its last value. */
export type Capabilities = ReadonlyMap<string, string | undefined>;

/** Read a space-separated list; a word without `=` has the value `undefined`. */
export function parseCapabilities(text: string): Capabilities {
  const capabilities = new Map<string, string | undefined>();
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const equals = word.indexOf('=');
    if (equals < 0) capabilities.set(word, undefined);
    else capabilities.set(word.slice(0, equals), word.slice(equals + 1));
  }
  return capabilities;
}
