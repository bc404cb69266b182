import type { Store } from '@scalekit-scim/express'

/** Where messages are remembered: in this process. The README has this file for several processes. */
export const store: Store = 'memory'

/** Lets go of it, last of all. */
export async function disconnectStore(): Promise<void> {}
