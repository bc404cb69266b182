/**
 * How many full passes in a row each record's event failed in. A handler that always fails for one person must not keep
 * the passes of a whole directory full: 100,000 people are 3,300 calls of the API each time.
 */
export interface Failures {
  passesById: ReadonlyMap<string, number>
  /** Full passes in a row in which more records failed than are named here. */
  passesOfMany: number
}

/** What failed in a pass. */
export interface Failed {
  count: number
  /** The first of them. */
  ids: readonly string[]
}

/** Stands for a directory that could not be read to its end. */
export const brokenPass: Failed = { count: 1, ids: ['broken'] }

export const noFailures: Failures = { passesById: new Map(), passesOfMany: 0 }

/** After so many, a record is left to the next scheduled full pass. */
const passesAtMost = 3

export function afterFullPass({ passesById, passesOfMany }: Failures, { ids, count }: Failed): Failures {
  return {
    passesById: new Map(ids.map((id) => [id, (passesById.get(id) ?? 0) + 1])),
    passesOfMany: count > ids.length ? passesOfMany + 1 : 0,
  }
}

/** Whether the next pass has to try again what failed. */
export function mustTryAgain({ passesById, passesOfMany }: Failures, { ids, count }: Failed): boolean {
  if (count > ids.length) return passesOfMany < passesAtMost
  return ids.some((id) => (passesById.get(id) ?? 0) < passesAtMost)
}

export function formatFailures({ passesById, passesOfMany }: Failures): string {
  return passesById.size === 0 && passesOfMany === 0 ? '' : JSON.stringify([passesOfMany, ...passesById])
}

/** A text that is not ours counts as none: the next pass then tries again. */
export function parseFailures(text: string): Failures {
  if (text === '') return noFailures
  try {
    const [passesOfMany, ...passesById]: [number, ...[string, number][]] = JSON.parse(text)
    return { passesOfMany, passesById: new Map(passesById) }
  } catch {
    return noFailures
  }
}
