import { createDispatcher, createReceiver } from '@scalekit-scim/core'
import {
  createDirectorySync,
  type DirectoryApi,
  type DirectorySyncOptions,
  type Known,
  scalekitFromEnv,
} from '@scalekit-scim/core/sync'
import { scalekitScim as forExpress } from '@scalekit-scim/express'
import forFastify from '@scalekit-scim/fastify'
import { ScalekitClient } from '@scalekit-sdk/node'
import fastify from 'fastify'

const server = fastify()
await server.register(forFastify)
const api: DirectoryApi = await scalekitFromEnv()

// The sync accepts a dispatcher, or a receiver.
createDirectorySync({ scalekit: api, dispatcher: createReceiver(), organizations: 'all' })
createDirectorySync({ scalekit: api, dispatcher: createDispatcher({}), organizations: ['org_1'] as const })
createDirectorySync({ scalekit: api, dispatcher: forExpress().receiver, organizations: () => ['org_1'] })
createDirectorySync({
  scalekit: new ScalekitClient('', '', ''),
  dispatcher: server.scalekitScim,
  async *organizations() {
    yield 'org_1'
  },
})
// @ts-expect-error the middleware is not its receiver
createDirectorySync({ scalekit: api, dispatcher: forExpress(), organizations: 'all' })
// @ts-expect-error without a list of organizations
createDirectorySync({ scalekit: api, dispatcher: createReceiver() })

// `known`: rows of a database with at least an id, streamed or not.
declare const rows: { id: string; occurredAt: string | null; groupIds: string[]; email: string }[]
const knowns: Known[] = [
  () => [{ id: 'diruser_1' }],
  () => new Set([{ id: 'diruser_1', groupIds: null }]),
  async () => rows,
  function* ({ organizationId, id }) {
    yield { id: `${organizationId}${id}`, directoryId: id }
  },
  async function* () {
    yield* rows
  },
]
const known: DirectorySyncOptions['known'] = { users: knowns[0], groups: undefined }
createDirectorySync({ scalekit: api, dispatcher: createReceiver(), organizations: 'all', known })
// @ts-expect-error a Date has only milliseconds
export const imprecise: Known = () => [{ id: 'diruser_1', occurredAt: new Date() }]
// @ts-expect-error a record without an id
export const anonymous: Known = () => [{ occurredAt: '2026-11-23T09:00:00Z' }]
// @ts-expect-error only one of the two
export const both: DirectorySyncOptions['schedule'] = { everySeconds: 3600, cron: '0 3 * * *' }
// @ts-expect-error a time zone belongs to a cron expression
export const zoned: DirectorySyncOptions['schedule'] = { everySeconds: 3600, timezone: 'UTC' }
