// This module is preloaded into a separate process, after source-imports.mjs: one file of the sync has the fault that
// SYNC_MUTANT names. Nothing on disk changes.

import { replaceInSource } from '../replaced-source.ts'
import { isMutantName, mutants } from './mutants.ts'

const name = process.env.SYNC_MUTANT
if (!isMutantName(name)) throw new Error(`SYNC_MUTANT must be one of: ${Object.keys(mutants).join(', ')}`)
const { file, ...replacement } = mutants[name]
replaceInSource(name, new URL(`../../../packages/core/src/sync/${file}`, import.meta.url), [replacement])
