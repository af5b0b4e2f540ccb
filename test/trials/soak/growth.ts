/**
 * Whether something grows: the straight line through what was measured.
 *
 * @module
 */
export interface Sample {
  readonly atSeconds: number;
  readonly value: number;
}

export interface Growth {
  readonly perHour: number;
  /** Standard error of it. */
  readonly errorPerHour: number;
  /** What the line says that was gained between the first and the last sample. */
  readonly gained: number;
  readonly mean: number;
}

const SECONDS_AN_HOUR = 3600;

/** Least squares. @returns zeros for fewer than three samples */
export function growthOf(samples: readonly Sample[]): Growth {
  const count = samples.length;
  if (count < 3) return { perHour: 0, errorPerHour: 0, gained: 0, mean: samples[0]?.value ?? 0 };
  const meanTime = samples.reduce((sum, { atSeconds }) => sum + atSeconds, 0) / count;
  const mean = samples.reduce((sum, { value }) => sum + value, 0) / count;
  let square = 0;
  let product = 0;
  for (const { atSeconds, value } of samples) {
    square += (atSeconds - meanTime) ** 2;
    product += (atSeconds - meanTime) * (value - mean);
  }
  const slope = square === 0 ? 0 : product / square;
  let rest = 0;
  for (const { atSeconds, value } of samples) rest += (value - mean - slope * (atSeconds - meanTime)) ** 2;
  const error = square === 0 ? 0 : Math.sqrt(rest / (count - 2) / square);
  const spanSeconds = (samples.at(-1) as Sample).atSeconds - (samples[0] as Sample).atSeconds;
  return {
    perHour: slope * SECONDS_AN_HOUR,
    errorPerHour: error * SECONDS_AN_HOUR,
    gained: slope * spanSeconds,
    mean,
  };
}

/** The later half. */
export function laterHalf(samples: readonly Sample[]): readonly Sample[] {
  return samples.slice(Math.floor(samples.length / 2));
}
