export type {
  ApiDirectory,
  ApiGroup,
  ApiOrganization,
  ApiTimestamp,
  ApiUser,
  DirectoryApi,
  ListOptions,
} from './directory-api.ts'
export { createDirectorySync, type DirectorySync } from './directory-sync.ts'
export { formatReport } from './format-report.ts'
export { scalekitFromEnv } from './from-env.ts'
export type { Known, KnownRecord } from './known.ts'
export type { DirectorySyncOptions, RunOptions, Schedule, StopOptions, SyncProgress } from './options.ts'
export { PagingError } from './pages.ts'
export {
  type DirectoryRef,
  type GroupRecord,
  groupEvent,
  type RecordChange,
  type UserRecord,
  userEvent,
} from './records.ts'
export type {
  ClocksApart,
  Counts,
  Deactivations,
  DirectoryReport,
  HeldDeletions,
  HeldReason,
  OrganizationReport,
  RecordList,
  ReportedError,
  ReturnedRecords,
  StickyReason,
  SyncReport,
  SyncTotals,
} from './report.ts'
export type { Retry, Retrying } from './retrying.ts'
export {
  directories,
  directoryGroups,
  directoryUsers,
  type Organizations,
  type ReadOptions,
} from './source.ts'
export { SyncError, type SyncErrorCode } from './sync-error.ts'
