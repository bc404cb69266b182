import { createContextKey } from '@connectrpc/connect'
import type { CallProperties } from './faults.ts'

/** What a fault can do to the connection of a call. */
export interface CallConnection {
  /** Resets the TCP connection and all its calls. */
  reset(): void
  /** Ends this call only. */
  cut(): void
}

export const connectionKey = createContextKey<CallConnection>(
  { reset() {}, cut() {} },
  { description: 'the connection of the call' },
)
export const callKey = createContextKey<CallProperties>({}, { description: 'the properties of the call' })
