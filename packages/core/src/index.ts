// What applications use. Adapters and ledgers have more in `adapter.ts`, our own packages in `internal.ts`.

export type { Clock, Timer } from './base/clock.ts'
export {
  ConfigurationError,
  type ConfigurationErrorCode,
  DropEvent,
  StoreUnavailableError,
} from './base/errors.ts'
export type { Logger } from './base/logger.ts'
export type { DispatcherOptions, ReceiverOptions } from './config/options.ts'
export {
  type CloseOptions,
  createDispatcher,
  type Dispatcher,
  type DispatchOptions,
} from './dispatch/dispatcher.ts'
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
} from './events/events.ts'
export type { EventSource, HandlerContext, HandlerName, Handlers, On } from './events/handlers.ts'
export type { DispatchOutcome, DispatchOutcomeName, Outcome, OutcomeReport } from './events/outcome.ts'
export { mapRoles, type RoleMapping, type RoleSources } from './events/roles.ts'
export type { KeyvLike } from './ledger/keyv-like.ts'
export type { Ledger } from './ledger/ledger.ts'
export type { Store } from './ledger/open-ledger.ts'
export { postgresLedgerSchema } from './ledger/postgres/schema.ts'
export type { Attempt } from './receive/attempt.ts'
export { createReceiver, type ReceiveResult, type Receiver } from './receive/receiver.ts'
export type { SecretOption, SecretRequest, SecretResolver } from './verification/secrets.ts'
