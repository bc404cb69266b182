export {
  Environment,
  type EnvironmentOptions,
  type EventListener,
  type GroupPatch,
  type NewDirectory,
  type NewGroup,
  type NewOrganization,
  type NewUser,
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
