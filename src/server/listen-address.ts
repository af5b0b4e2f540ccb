/**
 * `[host:]port`: where a server listens.
 *
 * @module
 */

export interface ListenAddress {
  /** Name or address, without brackets. */
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

const DEFAULT_HOST = '127.0.0.1';
const SHAPE = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d{1,5})$/;

/** @returns `undefined` for text that is none; without a host it is that of this machine only */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const [, bracketed, plain, digits] = SHAPE.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65535) return undefined;
  return { host: bracketed ?? plain ?? DEFAULT_HOST, port };
}

/** As {@link parseListenAddress} reads it. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}
