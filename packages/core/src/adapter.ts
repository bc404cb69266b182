// Exports for authors of framework adapters and ledgers, in addition to the exports of `@scalekit-scim/core`.

export { readSafely } from './base/application-calls.ts'
export { BodyError, type BodyErrorReason } from './base/errors.ts'
// For ledgers: the contract, and the decision functions for stores that cannot run their own decisions.
export { type Instant, instantFromMs } from './base/instant.ts'
export { requireOptions, requirePath } from './config/option-checks.ts'
export { defaultPath } from './config/options.ts'
export {
  decideBegin,
  decideCommit,
  decideRenew,
  fenceSequence,
  type MessageState,
  type NextFence,
  type ResourceState,
  type StoreTime,
} from './ledger/decisions.ts'
export type {
  BeginAnswer,
  BeginRequest,
  Claim,
  Guarantee,
  Ledger,
  LedgerRecord,
  Retention,
} from './ledger/ledger.ts'
// For adapters: the body, the options, the reply.
export { type BodyLimits, type BodyReader, givenBody, nodeBody } from './receive/body.ts'
export { resetAfterReply } from './receive/http2-reset.ts'
export { type AdapterOptions, receiverFrom } from './receive/receiver-from.ts'
export type { Reply } from './receive/reply.ts'
export { requestBody } from './receive/request-body.ts'
export type { HeaderSource } from './verification/signature.ts'
