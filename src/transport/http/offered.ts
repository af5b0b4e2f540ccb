/**
 * What a repository offers over HTTP, as its configuration and the application want it.
 * Spec: git-config(1), `http.getanyfile`, `http.uploadpack`, `http.receivepack`; git-http-backend(1), "SERVICES".
 *
 * @module
 */
import type { GitConfig } from '../../repository/git-config.ts';
import { configuredHiddenRefs } from '../../repository/hidden-ref-config.ts';
import type { Repository } from '../../repository/repository.ts';
import type { GitServerOptions } from './options.ts';
import type { HttpService } from './services.ts';

/**
 * @param principal whom `authorize` found, if anybody
 * @throws {GitError} REPOSITORY_INVALID for a value that is no boolean
 */
export function isServiceOffered(
  { configKey, offeredTo }: HttpService,
  config: GitConfig | undefined,
  { defaults = 'packwire' }: GitServerOptions,
  principal: unknown,
): boolean {
  const configured = config?.getBoolean(`http.${configKey}`);
  return configured ?? (offeredTo[defaults] === 'all' || (principal !== undefined && principal !== ''));
}

/**
 * Whether clients may copy stored files: these hold every object, so what is kept from clients would not be.
 *
 * @throws {GitError} REPOSITORY_INVALID as {@link isServiceOffered}
 */
export function areFilesOffered(
  { config, namespace }: Repository,
  { defaults, dumb, fetch }: GitServerOptions,
): boolean {
  const configured = config?.getBoolean('http.getanyfile');
  if (dumb === false || configured === false) return false;
  if (defaults === 'git') return true;
  if ((fetch?.hiddenRefs ?? []).length > 0) return false;
  const isPartial = namespace !== undefined || configuredHiddenRefs(config, 'uploadpack').length > 0;
  if (isPartial && configured !== true) return false;
  return dumb === true || fetch?.wantPolicy === undefined || fetch.wantPolicy === 'any';
}
