// One process of a fleet: an Express server with the built package. All processes share one store. The module fleet.ts
// starts the process and sends it messages. The process exits when its parent exits.

import { writeSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import {
  type HandlerContext,
  type Ledger,
  scalekitScim,
  type UserCreatedEvent,
  type UserDeletedEvent,
  type UserUpdatedEvent,
} from '@scalekit-scim/express'
import express from 'express'
import Keyv, { type KeyvStoreAdapter } from 'keyv'
import { adapterOn } from './adapter.ts'
import type { FromInstance, InstanceOptions, KillPoint, VerbCalls } from './fleet.ts'
import { Journal } from './journal.ts'

const options: InstanceOptions = JSON.parse(process.argv[2] ?? '{}')
const { name, store, journal: table, namespace, handlerMs, kill, generic, receiver: settings } = options

const journal = new Journal(table.url, table.schema)
/** The messages that may have an effect and no commit. After a kill, these messages run again. */
const uncommitted = new Set<string>()
const calls: VerbCalls = { begin: 0, renew: 0, commit: 0, release: 0, polls: 0 }

const scim = scalekitScim({
  secret: TEST_SECRET,
  store: new Keyv({ store: openAdapter() }),
  namespace,
  logger: process.env.CHAOS_LOG ? console : false,
  ...settings,
  onUserUpserted: run,
  onUserDeleted: run,
})
watch(scim.receiver.ledger)

const server = express()
  .use(scim)
  .listen(0, '127.0.0.1', () => {
    tell({ port: (server.address() as AddressInfo).port, guarantee: scim.receiver.guarantee.message })
  })
// This time is longer than a test, so that no connection is closed while the sender uses it.
server.keepAliveTimeout = 600_000
process.on('message', () => tell({ calls }))
process.on('disconnect', () => process.exit())

async function run(
  event: UserCreatedEvent | UserUpdatedEvent | UserDeletedEvent,
  { idempotencyKey, occurredAt }: HandlerContext,
): Promise<void> {
  const { id } = event.data
  const number = await journal.started(idempotencyKey, id, name)
  await atKillPoint('handler', () => sleep(handlerMs * (0.5 + Math.random())))
  uncommitted.add(idempotencyKey)
  const deleted = event.type === 'organization.directory.user_deleted'
  await atKillPoint('effect', () =>
    journal.write(number, {
      organizationId: event.organization_id,
      id,
      state: deleted ? 'deleted' : String(event.data.title),
      deleted,
      occurredAt,
    }),
  )
  await journal.ended(number)
}

function openAdapter(): object {
  const adapter = adapterOn(store, table.schema)
  return generic ? anyOther(adapter) : adapter
}

/** Returns the same store in a shape that no driver recognizes, so that only Keyv's own methods are used. */
function anyOther(adapter: KeyvStoreAdapter): object {
  return {
    opts: {},
    on: () => {},
    get: (key: string) => adapter.get(key),
    set: (key: string, value: unknown, ttlMs?: number) => adapter.set(key, value, ttlMs),
    delete: (key: string) => adapter.delete(key),
    clear: () => adapter.clear(),
  }
}

/** Counts the calls of the verbs, and exits at the planned kill point. */
function watch(ledger: Ledger): void {
  const { begin, renew, commit, release } = ledger
  ledger.begin = async (request) => {
    calls.begin++
    const answer = await atKillPoint('begin', () => begin.call(ledger, request))
    if (answer.state === 'busy' || answer.state === 'in-flight') calls.polls++
    return answer
  }
  ledger.renew = (claim, leaseSeconds) => {
    calls.renew++
    return renew.call(ledger, claim, leaseSeconds)
  }
  ledger.commit = async (claim, retention) => {
    calls.commit++
    const answer = await atKillPoint('commit', () => commit.call(ledger, claim, retention))
    uncommitted.delete(claim.messageId)
    return answer
  }
  ledger.release = (claim) => {
    calls.release++
    uncommitted.delete(claim.messageId)
    return release.call(ledger, claim)
  }
}

/** If the step is the planned step, kills the process just before or during it. */
function atKillPoint<T>(point: KillPoint, step: () => Promise<T>): Promise<T> {
  if (kill?.point !== point || kill.skip-- > 0) return step()
  if (kill.delayMs === 0) die()
  setTimeout(die, kill.delayMs)
  return step()
}

function die(): void {
  writeSync(1, JSON.stringify([...uncommitted]))
  process.kill(process.pid, 'SIGKILL')
}

function tell(message: FromInstance): void {
  process.send?.(message)
}
