export type { ApiFaultCondition, ApiFaultRule, ApiFaults } from './api/faults.ts'
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
export { createSimulator, type Simulator, type SimulatorFaults, type SimulatorOptions } from './simulator.ts'
export { SnapshotError } from './snapshot.ts'
