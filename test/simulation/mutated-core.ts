// Preloaded into a process of its own, after source-imports.mjs: one file of core has the fault that CORE_MUTANT names.
// Nothing on disk changes.

import { registerHooks } from 'node:module'
import { isMutantName, mutants } from './mutants.ts'

const name = process.env.CORE_MUTANT
if (!isMutantName(name)) throw new Error(`CORE_MUTANT must be one of: ${Object.keys(mutants).join(', ')}`)
const { file, from, to } = mutants[name]
const mutated = new URL(`../../packages/core/src/${file}`, import.meta.url).href

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (url !== mutated) return loaded
    const text = String(loaded.source)
    if (text.split(from).length !== 2) {
      throw new Error(`the mutant '${name}' does not apply: ${file} must have this text once: ${from}`)
    }
    return { ...loaded, source: text.replace(from, () => to) }
  },
})
