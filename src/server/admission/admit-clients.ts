/**
 * Admission as transports ask for it.
 *
 * @module
 */
import type { AdmitClient } from '../../transport/client-work.ts';
import type { Admitted } from '../access/http-access.ts';
import { isAnonymous } from '../access/subject.ts';
import type { Admission } from './admission.ts';

/**
 * @returns the question that `GitServerOptions.admit` and its like put. Whoever was let in by an authorizer (the principal
 * is {@link Admitted}) is counted by user and by the repository's one name; where nobody was asked, by address and the
 * name as it was spelled
 */
export function admitClients(admission: Pick<Admission, 'enter'>): AdmitClient {
  return ({ kind, repository, principal, name, client }, options) => {
    const request = (principal as Admitted | undefined)?.request;
    const isKnown = request !== undefined && !isAnonymous(request.subject);
    return admission.enter(
      {
        kind,
        repository,
        name: request?.repository ?? name,
        identity: isKnown ? request.subject.name : undefined,
        address: request?.address ?? client?.address,
      },
      options,
    );
  };
}
