// Preloaded into a process of its own, after source-imports.mjs: one file of a driver has the fault that LEDGER_FAULT
// names. Nothing on disk changes.

import { replaceInSource } from '../support/replaced-source.ts'
import { driverFaults, isDriverFault } from './driver-faults.ts'

const name = process.env.LEDGER_FAULT
if (!isDriverFault(name)) {
  throw new Error(`LEDGER_FAULT must be one of: ${Object.keys(driverFaults).join(', ')}`)
}
const { file, from, to } = driverFaults[name]
replaceInSource(name, new URL(`../../packages/core/src/ledger/${file}`, import.meta.url), [{ from, to }])
