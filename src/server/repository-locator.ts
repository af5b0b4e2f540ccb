/**
 * From what a client calls a repository to what rules call it.
 *
 * @module
 */
import type { RepositoryDirectory } from '../repository/node/repository-directory.ts';
import type { MustMake } from './access/decide-access.ts';

const NEVER: MustMake = () => Promise.resolve(false);

/** What is asked about. */
export interface LocatedRepository {
  /** Its one name: without `.git`, symbolic links followed. As it was spelled where that is no name of a repository. */
  readonly name: string;
  /** Whether a push would have to make it. Opens the repository. */
  readonly mustMake: MustMake;
}

export class RepositoryLocator {
  readonly #directory: RepositoryDirectory;
  readonly #makes: boolean;

  /** @param makes whether pushes to new names make repositories */
  constructor(directory: RepositoryDirectory, makes: boolean) {
    this.#directory = directory;
    this.#makes = makes;
  }

  async locate(spelled: string): Promise<LocatedRepository> {
    const name = await this.#directory.nameOf(spelled);
    if (name === undefined) return { name: spelled, mustMake: NEVER };
    return { name, mustMake: this.#makes ? async () => !(await this.#exists(spelled)) : NEVER };
  }

  async #exists(spelled: string): Promise<boolean> {
    await using found = await this.#directory.resolve(spelled, 'read');
    return found !== undefined;
  }
}
