// Preloaded into a process of its own, after source-imports.mjs: one file of a driver has the fault that LEDGER_FAULT
// names. Nothing on disk changes.

import { registerHooks } from 'node:module'
import { driverFaults, isDriverFault } from './driver-faults.ts'

const name = process.env.LEDGER_FAULT
if (!isDriverFault(name)) {
  throw new Error(`LEDGER_FAULT must be one of: ${Object.keys(driverFaults).join(', ')}`)
}
const { file, from, to } = driverFaults[name]
const faulty = new URL(`../../packages/core/src/ledger/${file}`, import.meta.url).href

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (url !== faulty) return loaded
    const text = String(loaded.source)
    if (text.split(from).length !== 2) {
      throw new Error(`the fault '${name}' does not apply: ${file} must have this text once: ${from}`)
    }
    return { ...loaded, source: text.replace(from, () => to) }
  },
})
