// What authors of framework adapters and of ledgers use, together with the names of `@scalekit-scim/core`.

export { BodyError, type BodyErrorReason } from './base/errors.ts'
// Ledgers: the contract, and the decisions for a store that cannot make them itself.
export { type Instant, instantFromMs } from './base/instant.ts'
export { requireOptions, requirePath } from './config/option-checks.ts'
export { defaultPath } from './config/options.ts'
export type { Reply } from './events/outcome.ts'
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
// Adapters: read the body, take the options apart, and answer.
export { type BodyLimits, type BodyReader, givenBody, nodeBody } from './receive/body.ts'
export { resetAfterReply } from './receive/http2-reset.ts'
export { receiverFrom } from './receive/receiver.ts'
export { requestBody } from './receive/request-body.ts'
export type { HeaderSource } from './verification/signature.ts'
