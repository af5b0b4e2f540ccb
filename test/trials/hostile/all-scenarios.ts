/**
 * The morning, in its order. Those that leave repositories behind come last.
 *
 * @module
 */
import { cloneStorm } from './clone-storm.ts';
import { fullDisk } from './full-disk.ts';
import { hangingApplication } from './hanging-application.ts';
import { idleConnections } from './idle-connections.ts';
import { killPhases } from './kill-phases.ts';
import { oversized } from './oversized.ts';
import { pushFlood } from './push-flood.ts';
import type { Scenario } from './scenario.ts';
import { slowBodies } from './slow-bodies.ts';
import { slowHandshakes } from './slow-handshakes.ts';
import { slowHeads } from './slow-heads.ts';
import { sshCrowd } from './ssh-crowd.ts';
import { sshStrangers } from './ssh-strangers.ts';
import { vanishingClients } from './vanishing-clients.ts';

export const ALL_SCENARIOS: readonly Scenario[] = [
  slowHeads,
  slowBodies,
  idleConnections,
  oversized,
  cloneStorm,
  vanishingClients,
  pushFlood,
  slowHandshakes,
  sshStrangers,
  sshCrowd,
  hangingApplication,
  fullDisk,
  killPhases,
];
