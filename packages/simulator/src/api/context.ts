import { createContextKey } from '@connectrpc/connect'
import type { Occasion } from './faults.ts'

/** What a fault may do to the connection below a call. */
export interface Line {
  /** Resets the TCP connection under all its calls. */
  reset(): void
  /** Ends this call alone. */
  cut(): void
}

const none: Line = { reset() {}, cut() {} }

export const lineKey = createContextKey<Line>(none, { description: 'the connection below the call' })
export const occasionKey = createContextKey<Occasion>({}, { description: 'which call this is' })
