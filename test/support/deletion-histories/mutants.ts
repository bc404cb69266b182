/** A fault in the sync that the histories must detect. */
export interface Mutant {
  /** The path of the file, below packages/core/src/sync. */
  file: string
  from: string
  to: string
}

export const mutants = {
  'no sticky set': {
    file: 'deletions/missing.ts',
    from: 'batch: batchOf.get(id)',
    to: 'batch: undefined',
  },
  'shrinking base': {
    file: 'deletions/deletion-state.ts',
    from: 'history.knownByDay.set(day, Math.max(count, history.knownByDay.get(day) ?? 0))',
    to: 'history.knownByDay = new Map([[day, count]])',
  },
  'count per pass': {
    file: 'deletions/deletion-state.ts',
    from: 'return [...deletedByHour].reduce(',
    to: 'return 0 * [...deletedByHour].reduce(',
  },
} as const satisfies Record<string, Mutant>

export type MutantName = keyof typeof mutants

export function isMutantName(name: string | undefined): name is MutantName {
  return name !== undefined && Object.hasOwn(mutants, name)
}
