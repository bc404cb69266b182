// Preloaded into a process of its own, after source-imports.mjs: one file of core has the fault that CORE_MUTANT names.
// Nothing on disk changes.

import { replaceInSource } from '../support/replaced-source.ts'
import { isMutantName, mutants } from './mutants.ts'

const name = process.env.CORE_MUTANT
if (!isMutantName(name)) throw new Error(`CORE_MUTANT must be one of: ${Object.keys(mutants).join(', ')}`)
const { file, from, to } = mutants[name]
replaceInSource(name, new URL(`../../packages/core/src/${file}`, import.meta.url), [{ from, to }])
