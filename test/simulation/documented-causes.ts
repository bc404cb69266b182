import type { Profile } from './kinds.ts'

/**
 * The documented causes for which a guarantee may not hold. Each names a page in docs/, and a text of that page. A test
 * checks that the page contains the text.
 */
export const documentedCauses = {
  crash: ['concepts/guarantees.md', 'The process crashed between your write and our commit'],
  stalled: ['concepts/guarantees.md', 'The process stalled for longer than `leaseSeconds`'],
  'handler timeout': ['concepts/guarantees.md', 'The handler ran longer than `handlerTimeoutSeconds`'],
  'store away': ['concepts/guarantees.md', 'The store did not answer for longer than the rest of the lease'],
  'store loss': ['concepts/guarantees.md', 'The store lost its data, or evicted keys'],
  'best effort': ['concepts/guarantees.md', 'Two instances use a best-effort store'],
  'handler failed': ['concepts/guarantees.md', 'The handler failed, and Scalekit tried again'],
  'memory of a process': ['concepts/guarantees.md', 'this process, until it restarts'],
  closed: ['guides/shutdown.md', 'After the grace period, `ctx.signal` of running handlers aborts'],
  forgotten: ['reference/api.md', 'a second run of the handler can begin'],
} as const satisfies Record<string, readonly [page: string, text: string]>

export type DocumentedCause = keyof typeof documentedCauses

const always: readonly DocumentedCause[] = ['handler timeout', 'handler failed', 'best effort']
const deploy: readonly DocumentedCause[] = [...always, 'store away', 'closed', 'memory of a process']

/** The causes that can apply in the histories of each profile. */
export const causesIn: Readonly<Record<Profile, readonly DocumentedCause[]>> = {
  calm: always,
  outage: [...always, 'store away'],
  deploy,
  storm: [...deploy, 'crash', 'stalled', 'store loss', 'forgotten'],
}
