export { type SignedDelivery, type SignOptions, signDelivery, TEST_SECRET } from './deliveries.ts'
export { createFakeClock, type FakeClock } from './fake-clock.ts'
export {
  type ConformanceCheck,
  type ConformanceOptions,
  ledgerConformance,
  type OpenInstance,
} from './ledger-conformance.ts'
export { type EventPatch, sampleContext, sampleEvent } from './samples.ts'
