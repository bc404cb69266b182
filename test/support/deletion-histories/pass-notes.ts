import type { KnownRecord } from '@scalekit-scim/core/sync'
import type { Kind } from './environment.ts'

/** One pass, as the judge receives it. */
export interface JudgedPass {
  startedMs: number
  dryRun: boolean
  approve: ReadonlySet<string>
  /** Whether no record of deletions can be read or written during this pass. */
  stateIsAway: boolean
}

/** The data that the judge collects about a pass. */
export interface PassNotes extends JudgedPass {
  /** The last record from `known`, with its time, by id. */
  yielded: Map<string, { record: KnownRecord; atMs: number }>
  listed: Set<string>
  /** The directories and kinds for which the pass read `known`. */
  asked: Set<string>
  /** The directories and kinds for which `known` yielded foreign records. */
  foreign: Set<string>
  deleted: Set<string>
}

/** How a pass ended. */
export interface PassEnd {
  /** Whether everything in the report was stored. */
  wrote: boolean
  /** Whether the process has crashed, or its store has failed. */
  disturbed: boolean
}

export function notesOn(pass: JudgedPass): PassNotes {
  return {
    ...pass,
    yielded: new Map(),
    listed: new Set(),
    asked: new Set(),
    foreign: new Set(),
    deleted: new Set(),
  }
}

/** Users and groups of a directory are counted separately. */
export function scopeOf(directoryId: string, kind: Kind): string {
  return `${directoryId} (${kind}s)`
}
