/**
 * One way of being hostile, and what must hold while it lasts.
 *
 * @module
 */
import type { PackwireProcess } from '../support/packwire-process.ts';
import type { PackwireSettings } from '../support/server-config.ts';
import type { WatchedServer } from '../support/watched-server.ts';

export interface Finding {
  /** What was seen, in a few words and numbers. */
  readonly figure: string;
  /** What did not hold, one sentence each. */
  readonly broken: readonly string[];
}

/** What every scenario is given. */
export interface Ground {
  /** An empty directory of its own. */
  readonly scratch: string;
  /** How long to press. */
  readonly seconds: number;
  /** How many clients storms and floods have. */
  readonly clients: number;
  /** Bare repositories to be copied and served; none makes one up: see `fillRoot`. */
  readonly repositories: readonly string[];
}

/** The server of the whole morning, which all such scenarios attack one after another. */
export interface SharedGround extends Ground {
  readonly server: WatchedServer;
  /** Repositories below the root that are worth a clone. */
  readonly large: readonly string[];
}

/** For what needs servers with settings of their own. */
export interface OwnGround extends Ground {
  /**
   * Start a server. It is watched until the scenario is over, and then judged and stopped.
   *
   * @param within as in PackwireOptions
   */
  watch(settings: PackwireSettings, within?: readonly string[]): Promise<WatchedServer>;
  /** Start a server that nobody watches. The scenario ends it. */
  start(settings: PackwireSettings): Promise<PackwireProcess>;
}

interface Described {
  readonly name: string;
  /** One sentence: what is done to the server. */
  readonly does: string;
  /** One sentence: what must hold beside what must always hold. */
  readonly holds: string;
  /** @returns why it cannot be tried here */
  skip?(): string | undefined;
}

export type Scenario = Described &
  (
    | { readonly on: 'shared'; run(ground: SharedGround): Promise<Finding> }
    | { readonly on: 'own'; run(ground: OwnGround): Promise<Finding> }
  );
