import { setImmediate as otherTasks } from 'node:timers/promises'
import type { Clock } from '@scalekit-scim/core'
import type { DirectoryRef } from '../reading/records.ts'
import { SyncError } from '../sync-error.ts'
import { untilAborted } from '../waiting.ts'
import { type Known, type KnownRecord, requireRecord, requireRecords } from './known-record.ts'
import { KnownRecords } from './known-records.ts'

/**
 * If `known` yields no record for this long, the pass stops waiting. Without this limit, the pass would never release
 * its lease, and would block the passes of all other processes.
 */
const silentMs = 300_000
/**
 * After this many records, the reading pauses for other tasks. Reading a million rows from memory takes seconds. During
 * that time, the process must answer webhooks.
 */
export const recordsPerTurn = 1000

export interface KnownReading {
  signal: AbortSignal
  clock: Clock
}

/**
 * Reads `known` to its end.
 * @param belongsToOtherPass returns whether the records of a directory belong to the pass over another directory
 * @throws SyncError if a record is invalid, or if `known` yields nothing for 5 minutes. Also throws the error of
 *   `known`, and the signal's reason
 */
export async function readKnown(
  known: Known,
  directory: DirectoryRef,
  belongsToOtherPass: (directoryId: string) => boolean,
  reading: KnownReading,
): Promise<KnownRecords> {
  const records = new KnownRecords(directory.id)
  await eachRecord(known, directory, reading, (record) => {
    const { id, organizationId, directoryId } = record
    if (organizationId != null && organizationId !== directory.organizationId) records.foreign.push(id)
    else if (directoryId == null || !belongsToOtherPass(directoryId)) records.add(record)
    else records.others.add(id)
  })
  return records
}

/** Calls `visit` with each record of `known`. Throws the same errors as {@link readKnown}. */
export async function eachRecord(
  known: Known,
  directory: DirectoryRef,
  { signal, clock }: KnownReading,
  visit: (record: KnownRecord) => void,
): Promise<void> {
  const silence = new AbortController()
  const ended = AbortSignal.any([signal, silence.signal])
  let read = 0
  const watch = (before: number) =>
    clock.setTimeout(() => {
      if (read === before) silence.abort(silent())
      else timer = watch(read)
    }, silentMs)
  let timer = watch(read)
  const readAll = async () => {
    const records = await known(directory)
    requireRecords(records)
    for await (const record of records) {
      if (++read % recordsPerTurn === 0) await otherTasks()
      ended.throwIfAborted()
      requireRecord(record)
      visit(record)
    }
  }
  try {
    await untilAborted(readAll(), ended)
  } finally {
    timer.cancel()
  }
}

function silent(): SyncError {
  return new SyncError(
    'ERR_SCIM_KNOWN_SILENT',
    '`known` yielded no record for 5 minutes, and did not end. Check its database, and set a time limit on its queries.',
  )
}
