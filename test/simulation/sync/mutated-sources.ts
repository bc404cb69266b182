// Preloaded into a process of its own, after source-imports.mjs: one file of core has the fault that SYNC_MUTANT names.

import { replaceInSource } from '../../support/replaced-source.ts'
import { isSyncMutantName, syncMutants } from './mutants.ts'

const name = process.env.SYNC_MUTANT
if (!isSyncMutantName(name)) {
  throw new Error(`SYNC_MUTANT must be one of: ${Object.keys(syncMutants).join(', ')}`)
}
const { file, replacements } = syncMutants[name]
replaceInSource(name, new URL(`../../../packages/core/src/${file}`, import.meta.url), replacements)
