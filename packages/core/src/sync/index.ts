export { createDirectorySync, type DirectorySync } from './directory-sync.ts'
export type { Known, KnownRecord } from './known/known-record.ts'
export type { DirectorySyncOptions, RunOptions, Schedule, StopOptions, SyncProgress } from './options.ts'
export type {
  ApiDirectory,
  ApiGroup,
  ApiOrganization,
  ApiTimestamp,
  ApiUser,
  DirectoryApi,
  ListOptions,
} from './reading/directory-api.ts'
export { PagingError, type ReadOptions } from './reading/pages.ts'
export {
  type DirectoryRef,
  type GroupRecord,
  groupEvent,
  type RecordChange,
  type UserRecord,
  userEvent,
} from './reading/records.ts'
export type { Retry, Retrying } from './reading/retrying.ts'
export { scalekitFromEnv } from './reading/scalekit-from-env.ts'
export { directories, directoryGroups, directoryUsers, type Organizations } from './reading/source.ts'
export { formatReport } from './reporting/format-report.ts'
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
} from './reporting/report.ts'
export { SyncError, type SyncErrorCode } from './sync-error.ts'
