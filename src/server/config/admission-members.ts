/**
 * How much is done at once, as settings. What is left out depends on the machine: see ../admission/settings.ts.
 *
 * @module
 */
import type * as z from 'zod';
import {
  type AdmissionSettings,
  admissionSettings,
  type KindSettings,
  type QuotaSettings,
  type ShedSettings,
} from '../admission/settings.ts';
import type { Rate } from '../limits/token-bucket.ts';
import { count, duration, group, optional, rate, size } from './setting-types.ts';

export const admissionMembers = group(
  'How much is done at once, for whom, and when clients are sent away. Defaults depend on the machine.',
  {
    clone: kind('clones'),
    fetch: kind('fetches'),
    push: kind('pushes'),
    archive: kind('archives'),
    maintenance: kind("runs of git's maintenance"),
    rates: group('Requests; too many are refused.', {
      identity: rateOf('Requests of one user.'),
      address: rateOf('Requests from one address.'),
    }),
    logins: group('Wrong passwords and tokens; after too many nobody is let in for a while.', {
      address: rateOf('Failures from one address.'),
      user: rateOf('Failures with one user name, where that user is not known.'),
    }),
    quotas: group('Sizes beyond which pushes are refused; 0 sets no limit.', {
      repositoryBytes: optional(size({ least: 0 }), 'Bytes of the object files of one repository.'),
      ownerBytes: optional(
        size({ least: 0 }),
        'The same of all repositories below one directory of the root.',
      ),
      measureEveryMs: optional(duration(), 'Time after which what is stored is measured again.'),
    } satisfies MembersOf<QuotaSettings>),
    shed: group('When work is refused to keep the rest going; 0 looks away.', {
      eventLoopDelayMs: optional(duration({ least: 0 }), 'Delay of whatever happens in this process.'),
      memoryBytes: optional(size({ least: 0 }), 'Memory that the process holds in all.'),
      freeDiskBytes: optional(
        size({ least: 0 }),
        'Bytes free where repositories are: with less, pushes are refused; with half, those that run end.',
      ),
    } satisfies MembersOf<ShedSettings>),
  } satisfies MembersOf<AdmissionSettings>,
);

type MembersOf<Type> = Readonly<Record<keyof Type, z.ZodType>>;

interface GivenRate {
  readonly perSecond?: number | undefined;
  readonly burst?: number | undefined;
}

/** @param given what the operator said; the rest is filled in */
export function completeAdmission(given: z.output<typeof admissionMembers>): AdmissionSettings {
  const { rates, logins, ...others } = given;
  const complete = admissionSettings(others);
  const over = ({ perSecond, burst }: GivenRate, rate: Rate): Rate => ({
    perSecond: perSecond ?? rate.perSecond,
    burst: burst ?? rate.burst,
  });
  return {
    ...complete,
    rates: {
      identity: over(rates.identity, complete.rates.identity),
      address: over(rates.address, complete.rates.address),
    },
    logins: {
      address: over(logins.address, complete.logins.address),
      user: over(logins.user, complete.logins.user),
    },
  };
}

function kind(what: string) {
  return group(`How many ${what} run at once.`, {
    running: optional(count(), `How many ${what} run at once.`),
    runningEach: optional(count(), 'Of these, how many of one user or, without a name, address.'),
    runningPerRepository: optional(count(), 'Of these, how many in one repository.'),
    runningPerAddress: optional(count(), 'Of these, how many from one address.'),
    waiting: optional(count({ least: 0 }), 'How many more wait for their turn.'),
    waitMs: optional(duration(), 'How long they wait.'),
  } satisfies MembersOf<KindSettings>);
}

function rateOf(description: string) {
  return group(description, {
    perSecond: optional(rate(), 'How many a second, on average.'),
    burst: optional(count(), 'How many at once after a quiet time.'),
  } satisfies MembersOf<Rate>);
}
