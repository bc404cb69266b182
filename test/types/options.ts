import {
  ConfigurationError,
  createDispatcher,
  createReceiver,
  type DispatcherOptions,
  type Outcome,
  type OutcomeReport,
  type Receiver,
  type ReceiverOptions,
} from '@scalekit-scim/core'
import { scalekitScim as forExpress } from '@scalekit-scim/express'
import fastifyDefault, { scalekitScim as forFastify } from '@scalekit-scim/fastify'
import express from 'express'
import fastify from 'fastify'
import { type Equal, holds } from './holds.ts'

declare const receiver: Receiver
const app = express()
const server = fastify()

// @scalekit-scim/express
app.use(forExpress())
app.use(forExpress({ onUserUpserted: (event) => event.data.email }))
app.post('/hooks/:env', forExpress({ path: false, secret: ({ params }) => params.env }))
app.use(forExpress({ path: '/a', receiver }))
holds<Equal<ReturnType<typeof forExpress>['receiver'], Receiver>>()
// @ts-expect-error a misspelt handler
forExpress({ onUserUpsertd: () => {} })
// @ts-expect-error a misspelt option
forExpress({ toleranceSecond: 300 })
// @ts-expect-error a misspelt option of Express
forExpress({ paths: '/webhooks' })
// @ts-expect-error a misspelt field
forExpress({ onUserUpserted: ({ data }) => data.emial })
// @ts-expect-error text from the environment is not a number
forExpress({ deadlineSeconds: process.env.DEADLINE ?? '9' })

// @scalekit-scim/fastify
await server.register(forFastify)
await server.register(fastifyDefault, { prefix: '/hooks', onUserUpserted: (event) => event.data.email })
await server.register(forFastify, { path: '/a', receiver, decorate: false, route: { logLevel: 'warn' } })
await server.register(forFastify, { route: { config: {}, schema: {} } })
holds<Equal<typeof server.scalekitScim, Receiver>>()
// @ts-expect-error a misspelt handler
server.register(forFastify, { onUserUpsertd: () => {} })
// @ts-expect-error a misspelt option
server.register(forFastify, { toleranceSecond: 300 })
// @ts-expect-error a misspelt option of Fastify
server.register(forFastify, { decorat: true })
// @ts-expect-error a misspelt field
server.register(forFastify, { onUserUpserted: ({ data }) => data.emial })
// @ts-expect-error Fastify needs a path
server.register(forFastify, { path: false })

// @scalekit-scim/core
createReceiver({ secret: 'whsec_' })
createReceiver({ secret: ['whsec_', 'whsec_'] as const })
createReceiver({ secret: async (request) => [request.header('x-env') ?? '', request.url, request.method] })
createReceiver({ secret: () => null })
createReceiver({ secret: ({ params }) => params.env })
createReceiver({ store: 'memory', requireGuarantee: 'process', ordering: 'none' })
// @ts-expect-error a number is not a secret
createReceiver({ secret: 42 })
// @ts-expect-error process.env.X may be undefined, and that would be an error at start
createReceiver({ secret: process.env.WEBHOOK_SECRET })
// @ts-expect-error no such guarantee
createReceiver({ requireGuarantee: 'best-effort' })
// @ts-expect-error a URL is not a store
createReceiver({ store: 'redis://localhost' })
// @ts-expect-error a misspelt option
createReceiver({ secrets: ['whsec_'] })
// @ts-expect-error a dispatcher does not verify
createDispatcher({ secret: 'whsec_' })

// Undefined counts as omitted, except for the secret.
const unset: { [Option in Exclude<keyof ReceiverOptions, 'secret'>]-?: undefined } = {
  ...({} as { [Option in Exclude<keyof ReceiverOptions, 'secret'>]-?: undefined }),
}
createReceiver(unset)
holds<Equal<Extract<keyof DispatcherOptions, 'secret'>, never>>()

export function onOutcome(report: OutcomeReport): Outcome {
  holds<Equal<typeof report.error, unknown>>()
  // @ts-expect-error the messageId is set only if the attempt verified
  report.messageId.trim()
  // @ts-expect-error there is no such outcome
  if (report.outcome === 'success') return report.outcome
  return report.outcome
}

export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof ConfigurationError)) return undefined
  // @ts-expect-error there is no such code
  if (error.code === 'ERR_SCIM_SECRET') return error.option
  return error.code === 'ERR_SCIM_SECRET_MISSING' ? error.option : error.code
}

export async function lifetime(): Promise<void> {
  await using own = createReceiver({ onUserUpserted: () => {} })
  await own.close({ graceSeconds: 5 })
  // @ts-expect-error misspelt
  await own.close({ grace: 5 })
  holds<Equal<Awaited<ReturnType<typeof own.forget>>, boolean>>()
}
