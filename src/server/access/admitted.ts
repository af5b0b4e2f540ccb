/**
 * Whether the principal of a push is somebody who came through an authorizer.
 *
 * @module
 */
import type { Admitted } from './http-access.ts';

/** @returns `undefined` for a principal of another making */
export function admittedOf(principal: unknown): Admitted | undefined {
  if (typeof principal !== 'object' || principal === null) return undefined;
  const { subject, request } = principal as Partial<Admitted>;
  const isAdmitted = typeof subject?.name === 'string' && typeof request?.repository === 'string';
  return isAdmitted && request.subject === subject ? (principal as Admitted) : undefined;
}
