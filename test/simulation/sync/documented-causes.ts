import type { Flavour } from './flavours.ts'

/**
 * The documented causes for which an invariant of the sync may not hold. Each names a page in docs/, and a text of that
 * page. A test checks that the page contains the text.
 */
export const syncCauses = {
  'wrong filter': [
    'sync/deletions.md',
    'If a wrong filter hides fewer people than the limits allow, the sync deletes these people',
  ],
  'approved by mistake': ['sync/deletions.md', 'Find out whether the listed people have really left'],
  'moved to an unread directory': [
    'sync/deletions.md',
    'a person has moved to such a directory, and the row has the former directory, the sync deletes the person',
  ],
  'joined during the pass': ['sync/deletions.md', 'the pages of the API are not a snapshot'],
  'equal times': ['concepts/ordering.md', 'equal to the watermark of a deletion'],
  'store loss': ['concepts/guarantees.md', 'The store lost its data, or evicted keys'],
  'no known': ['sync/known.md', 'Without `known`, the sync never deletes anything'],
} as const satisfies Record<string, readonly [page: string, text: string]>

export type SyncCause = keyof typeof syncCauses

const always: readonly SyncCause[] = [
  'equal times',
  'joined during the pass',
  'moved to an unread directory',
  'no known',
]

/** The causes that can apply in the histories of each flavour. */
export const syncCausesIn: Readonly<Record<Flavour, readonly SyncCause[]>> = {
  fair: always,
  storm: [...always, 'store loss'],
  misuse: always,
  lies: [...always, 'wrong filter', 'approved by mistake'],
  rejoin: always,
  race: always,
}
