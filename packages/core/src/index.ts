// Exports for applications. Authors of adapters and ledgers also use `adapter.ts`. Our own packages also use
// `internal.ts`.

export type { Clock, Timer } from './base/clock.ts'
export {
  ConfigurationError,
  type ConfigurationErrorCode,
  DropEvent,
  StoreUnavailableError,
} from './base/errors.ts'
export type { Logger } from './base/logger.ts'
export type { DispatcherOptions, ReceiverOptions } from './config/options.ts'
export { createDispatcher } from './dispatch/dispatcher.ts'
export type { CloseOptions, Dispatcher, DispatchOptions } from './dispatch/dispatcher-interface.ts'
export { isDirectoryEvent } from './events/directory-events.ts'
export type * from './events/events.ts'
export type { EventHandler, EventSource, HandlerContext, HandlerName, Handlers } from './events/handlers.ts'
export type { DispatchOutcome, DispatchOutcomeName, Outcome, OutcomeReport } from './events/outcome.ts'
export { mapRoles, type RoleMapping, type RoleSources } from './events/roles.ts'
export type { KeyvLike } from './ledger/keyv-like.ts'
export type { Ledger } from './ledger/ledger.ts'
export type { Store } from './ledger/open-ledger.ts'
export { postgresLedgerSchema } from './ledger/postgres/schema.ts'
export type { Attempt } from './receive/attempt.ts'
export { createReceiver, type ReceiveResult, type Receiver } from './receive/receiver.ts'
export type { SecretOption, SecretRequest, SecretResolver } from './verification/secrets.ts'
