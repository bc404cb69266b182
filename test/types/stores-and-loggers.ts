import { createReceiver, type KeyvLike, type Ledger, type Logger, type Store } from '@scalekit-scim/core'
import fastify from 'fastify'
import { Keyv as Keyv5 } from 'keyv'
import { Keyv as Keyv6 } from 'keyv6'
import pino from 'pino'

// Keyv 5 and 6.
export const five: KeyvLike = new Keyv5()
export const six: KeyvLike = new Keyv6()
export const stores: Store[] = [
  new Keyv5({ namespace: 'app', ttl: 1000 }),
  new Keyv5<string>(),
  new Keyv6({ namespace: 'app', ttl: 1000 }),
  'memory',
]
createReceiver({ store: new Keyv5() })
createReceiver({ store: new Keyv6() })

declare const ledger: Ledger
createReceiver({ store: ledger })

// @ts-expect-error a Map is synchronous, a Keyv is not
export const map: Store = new Map()
// @ts-expect-error it has no delete method
export const noDelete: KeyvLike = { get: async () => undefined, set: async () => true }

// Loggers.
export const loggers: Logger[] = [
  pino(),
  pino().child({ component: 'scim' }),
  pino({ customLevels: { audit: 35 } }),
  console,
  fastify().log,
  fastify({ logger: true }).log,
  fastify({ loggerInstance: pino() }).log,
]
createReceiver({ logger: pino() })
createReceiver({ logger: console })
createReceiver({ logger: fastify().log })
createReceiver({ logger: false })
createReceiver({ logger: { warn: (fields, message) => console.warn(message, fields) } })
// @ts-expect-error a level is not a logger
createReceiver({ logger: 'warn' })
// @ts-expect-error only false is accepted
createReceiver({ logger: true })
// @ts-expect-error the message comes second
createReceiver({ logger: { warn: (message: string, fields: object) => console.warn(message, fields) } })
