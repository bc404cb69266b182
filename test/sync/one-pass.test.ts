import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { SyncReport } from '@scalekit-scim/core/sync'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { sharedRedis } from '../support/redis-server.ts'
import type { FromWorker, WorkerOptions } from './worker.ts'

const redis = await sharedRedis()
afterAll(async () => redis?.remove())

const program = fileURLToPath(new URL('worker.ts', import.meta.url))
const defaults: WorkerOptions = {
  namespace: 'default',
  leaseSeconds: 3,
  everySeconds: 3600,
  organizations: 1,
  people: 30,
  gone: 0,
}

/** A process with its own sync, and the messages that the process has sent. */
class Worker {
  readonly child: ChildProcess
  readonly told: FromWorker[] = []
  readonly exited: Promise<unknown>

  constructor(options: Partial<WorkerOptions>) {
    this.child = spawn(process.execPath, [program, JSON.stringify({ ...defaults, ...options })], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    this.exited = once(this.child, 'exit')
    this.child.on('message', (message: FromWorker) => this.told.push(message))
    onTestFinished(async () => {
      this.child.kill('SIGKILL')
      await this.exited
    })
  }

  async until(isIt: (message: FromWorker) => boolean): Promise<void> {
    while (!this.told.some(isIt)) await once(this.child, 'message')
  }

  async untilReport(isIt: (report: SyncReport) => boolean): Promise<SyncReport> {
    await this.until((message) => 'report' in message && isIt(message.report))
    const report = this.reports.find(isIt)
    if (!report) throw new Error('it has told of no such report')
    return report
  }

  get reports(): SyncReport[] {
    return this.told.flatMap((message) => ('report' in message ? [message.report] : []))
  }

  get pages(): string[] {
    return this.told.flatMap((message) => ('page' in message ? [message.page] : []))
  }

  get deleted(): string[] {
    return this.told.flatMap((message) => ('deleted' in message ? [message.deleted] : []))
  }
}

const isComplete = ({ outcome }: SyncReport) => outcome === 'complete'

describe.skipIf(!redis)('over processes on one Redis', () => {
  const shared = () => ({ redis: redis?.url ?? '', namespace: `one-pass-${randomUUID()}` })

  test('one of two instances runs the pass, and the other is busy', async () => {
    const options = shared()
    const first = new Worker({ ...options, haltAt: 'page org_0' })
    await first.until((message) => 'page' in message)
    const second = new Worker(options)
    expect((await second.untilReport(() => true)).outcome).toBe('busy')
    first.child.send('go on')
    await first.untilReport(isComplete)
    expect(second.pages).toEqual([])
  })

  test('after a SIGKILL another process continues within the lease where the first one stopped', async () => {
    const options = { ...shared(), everySeconds: 1, organizations: 4 }
    const first = new Worker({ ...options, haltAt: 'page org_2' })
    await first.until((message) => 'page' in message && message.page === 'org_2')
    const second = new Worker(options)
    await second.untilReport(({ outcome }) => outcome === 'busy')
    first.child.kill('SIGKILL')
    await first.exited
    expect(first.reports).toEqual([])
    // The rest of the killed process's lease, as Redis reports it.
    const leftMs = Number(redis?.cli('PTTL', `{scim:${options.namespace}}:s:sync:pass`))
    expect(leftMs).toBeLessThanOrEqual(defaults.leaseSeconds * 1000)

    await second.untilReport(isComplete)
    const order = [...new Set(second.pages)]
    expect(order[0]).toBe(first.pages.at(-1))
    expect([...order].sort()).toEqual(['org_0', 'org_1', 'org_2', 'org_3'])
  })

  test('a process that was stopped for longer than its lease deletes no more users', async () => {
    const store = shared()
    // On a shared store, the first pass of a directory holds all deletions.
    const before = new Worker({ ...store, people: 110 })
    await before.untilReport(isComplete)
    before.child.kill('SIGKILL')
    const options = { ...store, everySeconds: 1, people: 100, gone: 10 }
    const first = new Worker({ ...options, haltAt: 'deletion' })
    await first.until((message) => 'deleted' in message)
    first.child.kill('SIGSTOP')
    const second = new Worker(options)
    await second.untilReport(isComplete)
    expect(new Set(second.deleted).size).toBe(10)
    first.child.kill('SIGCONT')
    first.child.send('go on')
    const report = await first.untilReport(() => true)
    expect(report).toMatchObject({ outcome: 'incomplete', error: { code: 'ERR_SCIM_LEASE_LOST' } })
    expect(first.deleted).toHaveLength(1)
  })
})

test('a worker without a server runs until it is stopped, and then exits by itself', async () => {
  const child = spawn(process.execPath, [program, JSON.stringify(defaults)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  onTestFinished(() => void child.kill('SIGKILL'))
  const [first] = await once(child.stdout, 'data')
  expect(String(first)).toBe('complete\n')
  // Only the schedule prevents the exit of the worker.
  const still = await Promise.race([exited, new Promise((resolve) => setTimeout(resolve, 1000, 'alive'))])
  expect(still).toBe('alive')
  child.kill('SIGTERM')
  expect(await exited).toEqual([0, null])
})
