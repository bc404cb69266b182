import { mutants as mutantsOfDeletions } from '../../support/deletion-histories/mutants.ts'
import type { Replacement } from '../../support/replaced-source.ts'
import type { Flavour } from './flavours.ts'

/** A fault in core that the simulation must detect. */
export interface SyncMutant {
  /** Below packages/core/src. */
  file: string
  replacements: readonly Replacement[]
  /** The flavours whose histories detect the fault soon. */
  flavours: readonly Flavour[]
}

const stickySet = mutantsOfDeletions['no sticky set']
const countPerPass = mutantsOfDeletions['count per pass']

export const syncMutants = {
  'no check of observedAt': {
    file: 'ledger/decisions.ts',
    replacements: [
      {
        from: 'return (resource.appliedAt ?? resource.watermark) >= request.observedAt',
        to: 'return false',
      },
    ],
    flavours: ['race'],
  },
  'one walk instead of two': {
    file: 'sync/pass/directory-deletions.ts',
    replacements: [
      {
        from: 'walks = [tally, await walk(pages, again, () => pass.requireRunning())]',
        to: 'walks = [tally, tally]; void pages',
      },
      {
        from: 'found = findMissing(search, [listed, again])\n      isSettled = again.covers(listed)',
        to: 'void again\n      isSettled = true',
      },
    ],
    flavours: ['race'],
  },
  'no check of the total': {
    file: 'sync/deletions/decision.ts',
    replacements: [{ from: 'return unique === totalSize', to: 'return unique !== totalSize || true' }],
    flavours: ['lies'],
  },
  'no margin of 60 s': {
    file: 'ledger/decisions.ts',
    replacements: [{ from: 'export const syncMarginSeconds = 60', to: 'export const syncMarginSeconds = 0' }],
    flavours: ['rejoin', 'race'],
  },
  'no sticky set': {
    file: `sync/${stickySet.file}`,
    replacements: [stickySet],
    flavours: ['fair', 'lies'],
  },
  'deletions are counted per pass': {
    file: `sync/${countPerPass.file}`,
    replacements: [countPerPass],
    flavours: ['fair', 'race', 'lies'],
  },
} as const satisfies Record<string, SyncMutant>

export type SyncMutantName = keyof typeof syncMutants

export function isSyncMutantName(name: string | undefined): name is SyncMutantName {
  return name !== undefined && Object.hasOwn(syncMutants, name)
}
