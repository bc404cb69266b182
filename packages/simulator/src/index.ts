export type { ApiFaultCondition, ApiFaultRule, ApiFaults } from './api/faults.ts'
export { SimulatorClock, type SimulatorClockOptions } from './clock.ts'
export { Deliveries } from './delivery/deliveries.ts'
export type { Endpoint, NewEndpoint, RotateOptions, StoredEndpoint } from './delivery/endpoints.ts'
export { DeliveryError, type DeliveryErrorReason } from './delivery/errors.ts'
export type { Fault, FaultName, WebhookFaults } from './delivery/faults.ts'
export type {
  Attempt,
  AttemptResponse,
  AttemptTrigger,
  Delivery,
  Message,
} from './delivery/messages.ts'
export type { DeliveriesOptions } from './delivery/options.ts'
export type { StoredDeliveries, StoredMessage } from './delivery/stored.ts'
export {
  Environment,
  type EnvironmentOptions,
  type EventListener,
  type GroupPatch,
  type NewDirectory,
  type NewGroup,
  type NewOrganization,
  type NewUser,
  type OrganizationPatch,
  type UserPatch,
} from './environment/environment.ts'
export { EnvironmentError, type EnvironmentErrorReason } from './environment/errors.ts'
export type {
  Directory,
  Group,
  Organization,
  Provider,
  User,
  UserAttributes,
} from './environment/records.ts'
export type { EnvironmentSnapshot } from './environment/snapshot.ts'
export type { SimulatorFaults, SimulatorOptions } from './options.ts'
export { PortError } from './port.ts'
export { createSimulator, type Simulator } from './simulator.ts'
export { SnapshotError, type SnapshotErrorReason } from './snapshot-error.ts'
