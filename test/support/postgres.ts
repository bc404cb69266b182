import { randomUUID } from 'node:crypto'
import KeyvPostgres from '@keyv/postgres'
import { createDispatcher, type Dispatcher, type DispatcherOptions, systemClock } from '@scalekit-scim/core'
import Keyv from 'keyv'
import { afterAll } from 'vitest'

/** The server on this machine's usual port. */
export const postgresUri = process.env.POSTGRES_URI ?? 'postgresql://postgres@127.0.0.1:5432/postgres'

type Row = Record<string, unknown>

/** SQL past the ledger, on a connection of its own. */
export function sqlOn(uri: string): (text: string, values?: unknown[]) => Promise<Row[]> {
  const adapter = adapterOn(uri, { max: 1 })
  return (text, values) => adapter.query(text, values)
}

/**
 * An adapter with a pool of its own: to its code, another address is another pool. An idle connection goes at once,
 * so that a server may go away in a test that does not use it.
 */
export function adapterOn(uri: string, options: { schema?: string; max?: number } = {}): KeyvPostgres {
  const adapter = new KeyvPostgres({
    uri: `${uri}?application_name=${randomUUID()}`,
    max: 4,
    allowExitOnIdle: true,
    ...options,
  })
  adapter.on('error', () => {})
  return adapter
}

/** The server's clock decides: an instance's own may be wrong. */
export function skewedClock(skewMs: number) {
  return { ...systemClock, now: () => systemClock.now() + skewMs }
}

/** Instances of one application that share a store; closed when the file is done. */
export function instancesOn(uri: string, shared: DispatcherOptions & { schema?: string } = {}) {
  const { schema, ...options } = shared
  const opened: Dispatcher[] = []
  afterAll(async () => {
    await Promise.all(opened.map((dispatcher) => dispatcher.close({ graceSeconds: 0 })))
  })
  const namespace = randomUUID()
  return {
    namespace,
    open(own: DispatcherOptions = {}): Dispatcher {
      const store = new Keyv(adapterOn(uri, schema === undefined ? {} : { schema }))
      const dispatcher = createDispatcher({ logger: false, namespace, ...options, store, ...own })
      opened.push(dispatcher)
      return dispatcher
    },
  }
}
