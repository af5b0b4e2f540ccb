/**
 * Waiting for something outside to become true.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_MS = 50;

/** @returns whether it came true within `ms` */
export async function becomesTrue(question: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; ; ) {
    if (await question()) return true;
    if (performance.now() >= end) return false;
    await sleep(LOOK_MS);
  }
}
