/** The kinds of stores. 'keyv': used by one process. 'shared-keyv': used by several processes, as nobody should. */
export const storeKinds = ['atomic', 'compare-and-set', 'keyv', 'shared-keyv', 'memory'] as const
export type StoreKind = (typeof storeKinds)[number]

/**
 * - calm: slow handlers and copies of messages, but neither crashes nor lost calls.
 * - outage: the store is frozen, down or flaky for some time.
 * - storm: also crashes, pauses, lost data, `forget`, and clocks that are set.
 * - deploy: processes are closed and replaced.
 */
export const profiles = ['calm', 'outage', 'storm', 'deploy'] as const
export type Profile = (typeof profiles)[number]
