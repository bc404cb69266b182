export type { Attempt } from './attempt.ts'
export { type BodyLimits, type BodyReader, givenBody, nodeBody } from './body.ts'
export { type Clock, systemClock, type Timer, type TimerOptions } from './clock.ts'
export { type CloseOptions, createDispatcher, type Dispatcher, type DispatchOptions } from './dispatcher.ts'
export {
  BodyError,
  type BodyErrorReason,
  ConfigurationError,
  type ConfigurationErrorCode,
  DropEvent,
  StoreUnavailableError,
} from './errors.ts'
export {
  type DeletedDirectoryUser,
  type Directory,
  type DirectoryDisabledEvent,
  type DirectoryEnabledEvent,
  type DirectoryEvent,
  type DirectoryEventType,
  type DirectoryGroup,
  type DirectoryUser,
  type GroupCreatedEvent,
  type GroupDeletedEvent,
  type GroupUpdatedEvent,
  isDirectoryEvent,
  type OtherEvent,
  type Resource,
  type ScimEvent,
  type UserCreatedEvent,
  type UserDeletedEvent,
  type UserGroup,
  type UserRole,
  type UserUpdatedEvent,
} from './events.ts'
export type { EventSource, HandlerContext, HandlerName, Handlers, On } from './handlers.ts'
export { resetAfterReply } from './http2-reset.ts'
export { formatInstant, type Instant, parseInstant, plusSeconds } from './instant.ts'
export { syncMarginSeconds } from './ledger/judge.ts'
export type { KeyvLike } from './ledger/keyv-like.ts'
export type {
  BeginAnswer,
  BeginRequest,
  Claim,
  Guarantee,
  Ledger,
  LedgerRecord,
  Retention,
} from './ledger/ledger.ts'
export type { Store } from './ledger/open-ledger.ts'
export { postgresLedgerSchema } from './ledger/postgres/schema.ts'
export { type ErrorFields, errorFields, type Logger } from './logger.ts'
export {
  clockOption,
  loggerOption,
  numberOption,
  requireKnownNames,
  requireOptions,
  requirePath,
} from './option-checks.ts'
export { type DispatcherOptions, defaultPath, type NumberRule, type ReceiverOptions } from './options.ts'
export type { DispatchOutcome, DispatchOutcomeName, Outcome, OutcomeReport, Reply } from './outcome.ts'
export { createReceiver, type ReceiveResult, type Receiver, receiverFrom } from './receiver.ts'
export { requestBody } from './request-body.ts'
export { mapRoles, type RoleMapping, type RoleSources } from './roles.ts'
export type { SecretOption, SecretRequest, SecretResolver } from './secrets.ts'
export type { HeaderSource } from './signature.ts'
