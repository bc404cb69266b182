// What authors of framework adapters and of ledgers use, together with the names of `@scalekit-scim/core`.

// Adapters: read the body, take the options apart, and answer.
export { type BodyLimits, type BodyReader, givenBody, nodeBody } from './body.ts'
export { BodyError, type BodyErrorReason } from './errors.ts'
export { resetAfterReply } from './http2-reset.ts'
// Ledgers: the contract, and the decisions for a store that cannot make them itself.
export { type Instant, instantFromMs } from './instant.ts'
export {
  judgeBegin,
  judgeCommit,
  judgeRenew,
  type MessageState,
  type ResourceState,
  type StoreTime,
} from './ledger/judge.ts'
export type {
  BeginAnswer,
  BeginRequest,
  Claim,
  Guarantee,
  Ledger,
  LedgerRecord,
  Retention,
} from './ledger/ledger.ts'
export { requireOptions, requirePath } from './option-checks.ts'
export { defaultPath } from './options.ts'
export type { Reply } from './outcome.ts'
export { receiverFrom } from './receiver.ts'
export { requestBody } from './request-body.ts'
export type { HeaderSource } from './signature.ts'
