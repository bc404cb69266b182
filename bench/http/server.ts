// Runs one server in a process of its own, so that its CPU time does not include the load. Argument: the server's name.
import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import KeyvPostgres from '@keyv/postgres'
import KeyvRedis from '@keyv/redis'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { scalekitScim as expressScim } from '@scalekit-scim/express'
import { scalekitScim as fastifyScim } from '@scalekit-scim/fastify'
import express from 'express'
import fastify from 'fastify'
import Keyv from 'keyv'
import { postgresUrl, redisUrl } from '../stores.ts'
import { baselines, listen } from './baselines.ts'

const stores = {
  memory: () => 'memory' as const,
  redis: () => new Keyv(new KeyvRedis(redisUrl)),
  postgres: () => new Keyv(new KeyvPostgres({ uri: postgresUrl })),
}

/** The work of the handlers, so that the engine does not remove it. */
export let handled = 0

function options(store: keyof typeof stores) {
  return {
    secret: TEST_SECRET,
    store: stores[store](),
    ...(store === 'memory' ? {} : { namespace: `bench-${randomUUID()}` }),
    onUserUpserted: (event: { data: { id: string } }) => {
      handled += event.data.id.length
    },
  }
}

async function ours(framework: string, store: keyof typeof stores): Promise<RequestListener> {
  if (framework === 'express') return express().use(expressScim(options(store))) as unknown as RequestListener
  const app = fastify()
  app.register(fastifyScim, options(store))
  await app.ready()
  return app.routing as RequestListener
}

/** The resources that a server's process has used since its start. */
export interface Usage {
  cpuMs: number
  rssBytes: number
}

const name = process.argv[2] ?? ''
const [framework = '', subject = ''] = name.split(' ')
const baseline = baselines[name]
const listener = await (baseline ? baseline() : ours(framework, subject as keyof typeof stores))
const port = await listen(listener)

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.({ cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() } satisfies Usage)
})
process.on('disconnect', () => process.exit())
process.send?.(port)
