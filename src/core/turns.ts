/**
 * Whose turn it is: long work is done in turns of a few milliseconds, one in each round of the event loop, so that what
 * arrives meanwhile never waits for more than one of them.
 *
 * Work that begins, or goes on because bytes have come, shares the round with all others that do: a hundred requests that
 * arrive together take turns from their first milliseconds on (`trial:hostile --only="clone storm"`).
 *
 * Node takes one new connection of a listening socket in each round. While a crowd comes in, rounds without a turn let it:
 * the last of a hundred does not wait for a hundred turns (`trial:hostile --only="vanishing clients"`).
 *
 * Work that has only begun goes before work that has gone on for long: a small request is done in a few turns, and a
 * large one does not notice them.
 *
 * @module
 */

/**
 * Milliseconds of work in a round: what a small request waits for each time it has to wait, some six times in a fetch.
 * A wait costs some microseconds.
 */
const ROUND_MS = 3;
/** Turns after which work counts as long: those of a small fetch are fewer. */
const LONG_AFTER_TURNS = 32;
/** Long work gets at least one round in so many, however much begins. */
const LONG_EVERY_ROUNDS = 4;
/** Milliseconds that work makes way for those who arrive; then it gets a turn even if more of them come. */
const WAY_MS = 20;

type GoOn = () => void;

/** The turns of one thread. */
export class Turns {
  readonly #nextRound: (run: () => void) => void;
  readonly #now: () => number;
  readonly #short: GoOn[] = [];
  readonly #long: GoOn[] = [];
  #rounds = 0;
  #isComing = false;
  #endOfRound: number | undefined;
  #hasArrived = false;
  /** In the round before. */
  #hadArrived = false;
  /** When work began to make way, if it does. */
  #madeWayAt: number | undefined;

  /**
   * @param nextRound calls back once the event loop has looked at timers and sockets
   * @param now milliseconds
   */
  constructor(nextRound: (run: () => void) => void, now: () => number) {
    this.#nextRound = nextRound;
    this.#now = now;
  }

  /** Until when work may go on that is going on now, whoever's it is; then it has to {@link wait}. */
  endOfRound(): number {
    if (this.#endOfRound === undefined) {
      const now = this.#now();
      this.#endOfRound = this.#makesWay(now) ? now : now + ROUND_MS;
      this.#come();
    }
    return this.#endOfRound;
  }

  /** Wait for a turn. @param taken how many the same work has had */
  wait(taken: number): Promise<void> {
    return new Promise((resolve) => {
      (taken < LONG_AFTER_TURNS ? this.#short : this.#long).push(resolve);
      this.#come();
    });
  }

  /** A connection has come, and others may be behind it: let the event loop look again before the next turn. */
  makeWay(): void {
    this.#hasArrived = true;
  }

  /** Whether a crowd seems to come in, so that work that could begin now had better {@link wait}. */
  isMakingWay(): boolean {
    return this.#hadArrived || this.#hasArrived;
  }

  #come(): void {
    if (this.#isComing) return;
    this.#isComing = true;
    this.#nextRound(() => {
      this.#isComing = false;
      this.#endOfRound = undefined;
      const makesWay = this.#makesWay(this.#now());
      this.#hadArrived = this.#hasArrived;
      this.#hasArrived = false;
      if (!makesWay) {
        this.#madeWayAt = undefined;
        this.#next()?.();
      }
      if (this.#short.length > 0 || this.#long.length > 0) this.#come();
    });
  }

  #makesWay(now: number): boolean {
    if (!this.#hasArrived) return false;
    this.#madeWayAt ??= now;
    return now - this.#madeWayAt < WAY_MS;
  }

  /** Within a class, whoever has waited longest. */
  #next(): GoOn | undefined {
    this.#rounds++;
    const isForLong = this.#rounds % LONG_EVERY_ROUNDS === 0;
    return (isForLong ? this.#long.shift() : undefined) ?? this.#short.shift() ?? this.#long.shift();
  }
}

type SetImmediate = (run: () => void) => unknown;

/** A round as the platform has it: `setImmediate` where there is one, else a message, which costs ten times as much. */
function nextRound(run: () => void): void {
  const { setImmediate } = globalThis as { readonly setImmediate?: SetImmediate };
  if (setImmediate !== undefined) {
    setImmediate(run);
    return;
  }
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    run();
  };
  port2.postMessage(undefined);
}

/** All long work of this thread takes turns here. */
export const turns = new Turns(nextRound, () => performance.now());
