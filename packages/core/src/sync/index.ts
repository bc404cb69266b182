export type {
  ApiDirectory,
  ApiGroup,
  ApiOrganization,
  ApiTimestamp,
  ApiUser,
  DirectoryApi,
  ListOptions,
} from './directory-api.ts'
export { scalekitFromEnv } from './from-env.ts'
export { PagingError } from './pages.ts'
export {
  type DirectoryRef,
  type GroupRecord,
  groupEvent,
  type RecordChange,
  type UserRecord,
  userEvent,
} from './records.ts'
export type { Retry, Retrying } from './retrying.ts'
export {
  directories,
  directoryGroups,
  directoryUsers,
  type Organizations,
  type ReadOptions,
} from './source.ts'
