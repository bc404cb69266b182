export { type SignedDelivery, type SignOptions, signDelivery, TEST_SECRET } from './deliveries.ts'
export { createFakeClock, type FakeClock } from './fake-clock.ts'
export {
  type ConformanceCheck,
  type ConformanceOptions,
  ledgerConformance,
} from './ledger-conformance/ledger-conformance.ts'
export type { OpenInstance } from './ledger-conformance/store.ts'
export { type EventPatch, sampleContext, sampleEvent } from './samples.ts'
