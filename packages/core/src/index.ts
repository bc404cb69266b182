// What applications use. Adapters and ledgers have more in `adapter.ts`, our own packages in `internal.ts`.

export type { Attempt } from './attempt.ts'
export type { Clock, Timer } from './clock.ts'
export { type CloseOptions, createDispatcher, type Dispatcher, type DispatchOptions } from './dispatcher.ts'
export {
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
export type { KeyvLike } from './ledger/keyv-like.ts'
export type { Ledger } from './ledger/ledger.ts'
export type { Store } from './ledger/open-ledger.ts'
export { postgresLedgerSchema } from './ledger/postgres/schema.ts'
export type { Logger } from './logger.ts'
export type { DispatcherOptions, ReceiverOptions } from './options.ts'
export type { DispatchOutcome, DispatchOutcomeName, Outcome, OutcomeReport } from './outcome.ts'
export { createReceiver, type ReceiveResult, type Receiver } from './receiver.ts'
export { mapRoles, type RoleMapping, type RoleSources } from './roles.ts'
export type { SecretOption, SecretRequest, SecretResolver } from './secrets.ts'
