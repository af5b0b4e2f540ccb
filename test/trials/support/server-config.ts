/**
 * What a trial wants of its server, as a configuration file.
 *
 * @module
 */
import type { Limits } from '../../../src/core/limits.ts';
import type { AdmissionOverrides } from '../../../src/server/admission/settings.ts';

export interface PackwireSettings {
  /** Directory of the repositories. */
  readonly root: string;
  readonly limits?: Partial<Limits> | undefined;
  readonly keepOpenMs?: number | undefined;
  readonly cacheBytes?: number | undefined;
  /** Serve over git:// too. */
  readonly git?: boolean | undefined;
  /** Serve over SSH too, to those whose keys are in the access file. */
  readonly ssh?: { readonly hostKeys: string; readonly loginGraceMs?: number | undefined } | undefined;
  readonly access?:
    | {
        /** Path of the access file. */
        readonly file?: string | undefined;
        readonly rules?: readonly object[] | undefined;
        readonly application?:
          | {
              readonly url: string;
              readonly secretFile: string;
              readonly timeoutMs: number;
              readonly retries: number;
            }
          | undefined;
      }
    | undefined;
  readonly admission?: AdmissionOverrides | undefined;
}

/** Where each door is. All are on this machine only. */
export interface Ports {
  readonly http: number;
  readonly git: number;
  readonly ssh: number;
  /** For questions about health and nothing else. */
  readonly health: number;
}

export const HOST = '127.0.0.1';

/** The contents of the file. */
export function configurationOf(settings: PackwireSettings, ports: Ports): object {
  const { root, limits, keepOpenMs, cacheBytes, git, ssh, access, admission } = settings;
  const at = (port: number): readonly string[] => [`${HOST}:${port}`];
  return {
    root,
    create: true,
    listen: {
      http: at(ports.http),
      git: git === true ? at(ports.git) : [],
      ssh: ssh === undefined ? [] : at(ports.ssh),
    },
    health: { listen: at(ports.health) },
    ssh,
    access,
    limits,
    admission,
    keepOpenMs,
    cacheBytes,
    accessLog: false,
  };
}
