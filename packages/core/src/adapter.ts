// The names for authors of framework adapters and of ledgers, next to those of `@scalekit-scim/core`.

export { BodyError, type BodyErrorReason } from './base/errors.ts'
// Ledgers: the contract, and the decisions for stores that cannot make them.
export { type Instant, instantFromMs } from './base/instant.ts'
export { readSafely } from './base/read-safely.ts'
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
// Adapters: the body, the options, the reply.
export { type BodyLimits, type BodyReader, givenBody, nodeBody } from './receive/body.ts'
export { resetAfterReply } from './receive/http2-reset.ts'
export { type AdapterOptions, receiverFrom } from './receive/receiver-from.ts'
export type { Reply } from './receive/reply.ts'
export { requestBody } from './receive/request-body.ts'
export type { HeaderSource } from './verification/signature.ts'
