export type { ApiFaultCondition, ApiFaultRule, ApiFaults } from './api/faults.ts'
export type { SimulatorClock } from './clock.ts'
export { createSimulator } from './create-simulator.ts'
export type { Deliveries } from './delivery/deliveries.ts'
export type { Endpoint, NewEndpoint, RotateOptions } from './delivery/endpoints.ts'
export type { Fault, FaultName, WebhookFaults } from './delivery/faults.ts'
export {
  type Attempt,
  type AttemptResponse,
  type AttemptTrigger,
  type Delivery,
  DeliveryError,
  type DeliveryErrorReason,
  type Message,
} from './delivery/messages.ts'
export type { Environment } from './environment/environment.ts'
export type { EventListener } from './environment/event-publisher.ts'
export {
  type Directory,
  EnvironmentError,
  type EnvironmentErrorReason,
  type Group,
  type GroupPatch,
  type NewDirectory,
  type NewGroup,
  type NewOrganization,
  type NewUser,
  type Organization,
  type OrganizationPatch,
  type Provider,
  type User,
  type UserAttributes,
  type UserPatch,
} from './environment/records.ts'
export type { SimulatorFaults, SimulatorOptions } from './options.ts'
export { SnapshotError, type SnapshotErrorReason } from './persistence/snapshot-file.ts'
export { PortError } from './port.ts'
export type { Simulator } from './simulator.ts'
