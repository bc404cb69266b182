import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const tests = fileURLToPath(new URL('..', import.meta.url))
const sources = fileURLToPath(new URL('../docs/source-imports.mjs', import.meta.url))

/** Runs a script without a server, a connection or a timer of its own. Only its `await` prevents the exit. */
function run(script: string): Promise<{ code: unknown; printed: string }> {
  const args = ['--disable-warning=ExperimentalWarning', '--import', sources, '--input-type=module', '--eval']
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...args, prelude + script],
      { cwd: tests, timeout: 60_000 },
      (error, stdout, stderr) => {
        resolve({ code: error?.code ?? error?.signal ?? 0, printed: (stdout + stderr).trim() })
      },
    )
  })
}

const prelude = `
import { createDispatcher } from '@scalekit-scim/core'
import { sampleEvent } from '@scalekit-scim/core/testing'
const event = sampleEvent('organization.directory.user_created')
`

test('a script that only awaits the claim of another process runs until it gets it', async () => {
  const ended = await run(`
const never = () => Promise.reject(new Error('not asked here'))
let begins = 0
const ledger = {
  guarantee: { message: 'atomic', order: 'atomic' },
  begin: async () => (++begins < 5 ? { state: 'in-flight' } : { state: 'duplicate' }),
  renew: never, commit: never, release: never, forget: never, forgetResource: never, now: never, record: never,
}
const dispatcher = createDispatcher({ store: ledger, logger: false, onUserUpserted: () => {} })
console.log((await dispatcher.dispatch(event)).outcome, begins)
`)
  expect(ended).toEqual({ code: 0, printed: 'duplicate 5' })
})

test('a handler that never ends, and its renewals, do not keep the process running', async () => {
  const ended = await run(`
const dispatcher = createDispatcher({ logger: false, onUserUpserted: () => new Promise(() => {}) })
void dispatcher.dispatch(event)
`)
  expect(ended).toEqual({ code: 0, printed: '' })
})

test('a commit that is retried in the background does not keep the process running', async () => {
  const ended = await run(`
const never = () => Promise.reject(new Error('away'))
const ledger = {
  guarantee: { message: 'atomic', order: 'atomic' },
  begin: async () => ({ state: 'begun', fence: 1, occurredAt: '1764000000000000000' }),
  renew: async () => true, release: async () => {},
  commit: never, forget: never, forgetResource: never, now: never, record: never,
}
const dispatcher = createDispatcher({ store: ledger, logger: false, onUserUpserted: () => {} })
console.log((await dispatcher.dispatch(event)).outcome)
`)
  expect(ended).toEqual({ code: 0, printed: 'processed' })
})

test('a claim that is released in the background does not keep the process running', async () => {
  const source = new URL('../../packages/core/src/ledger/background.ts', import.meta.url).href
  const ended = await run(`
import { systemClock } from '@scalekit-scim/core/internal'
import { releaseLater } from '${source}'
let asked = 0
const away = () => Promise.reject(new Error(String(asked++)))
void releaseLater({ leaseSeconds: 600 }, away, { clock: systemClock }, new AbortController().signal)
await new Promise((resolve) => setTimeout(resolve, 1000))
console.log(asked > 0)
`)
  expect(ended).toEqual({ code: 0, printed: 'true' })
})

test('a script that awaits close() runs until its commits are recorded', async () => {
  const ended = await run(`
let commits = 0
const ledger = {
  guarantee: { message: 'atomic', order: 'atomic' },
  begin: async () => ({ state: 'begun', fence: 1, occurredAt: '1764000000000000000' }),
  renew: async () => true, release: async () => {},
  commit: async () => {
    if (++commits < 4) throw new Error('away')
    return 'ok'
  },
}
const never = () => Promise.reject(new Error('not asked here'))
Object.assign(ledger, { forget: never, forgetResource: never, now: never, record: never })
const dispatcher = createDispatcher({ store: ledger, logger: false, onUserUpserted: () => {} })
console.log((await dispatcher.dispatch(event)).outcome)
await dispatcher.close()
console.log(commits)
`)
  expect(ended).toEqual({ code: 0, printed: 'processed\n4' })
})

test('a script that awaits close() logs that a silent store has not recorded its commits', async () => {
  const ended = await run(`
let commits = 0
const ledger = {
  guarantee: { message: 'atomic', order: 'atomic' },
  begin: async () => ({ state: 'begun', fence: 1, occurredAt: '1764000000000000000' }),
  renew: async () => true, release: async () => {},
  commit: () => (commits++ === 0 ? Promise.reject(new Error('away')) : new Promise(() => {})),
}
const never = () => Promise.reject(new Error('not asked here'))
Object.assign(ledger, { forget: never, forgetResource: never, now: never, record: never })
const logger = { error: (fields) => console.log(fields) }
const dispatcher = createDispatcher({ store: ledger, storeTimeoutSeconds: 0.2, logger, onUserUpserted: () => {} })
console.log((await dispatcher.dispatch(event)).outcome)
await dispatcher.close({ graceSeconds: 0.5 })
console.log('closed')
`)
  expect(ended).toEqual({ code: 0, printed: 'processed\n{ pending: 1 }\nclosed' })
})

test('a script that awaits close() runs until the signal of a handler that never ends aborts', async () => {
  const ended = await run(`
const stopped = ({ signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
const dispatcher = createDispatcher({ logger: false, onUserUpserted: (_event, ctx) => stopped(ctx) })
const dispatched = dispatcher.dispatch(event)
await new Promise((resolve) => setTimeout(resolve, 20))
await dispatcher.close({ graceSeconds: 0.2 })
console.log((await dispatched).outcome)
`)
  expect(ended).toEqual({ code: 0, printed: 'handler-failed' })
})

describe('closing and disconnecting a store that is down does not end the process', () => {
  test.each([
    ["import Adapter from '@keyv/redis'", "'redis://127.0.0.1:9'"],
    ["import Adapter from '@keyv/valkey'", "'redis://127.0.0.1:9'"],
    ["import Adapter from '@keyv/postgres'", "{ uri: 'postgresql://postgres@127.0.0.1:9/postgres' }"],
    ["import Adapter from '@keyv/mysql'", "'mysql://root@127.0.0.1:9/test'"],
  ])('%s', async (adapter, where) => {
    for (const events of [1, 2, 3]) {
      const ended = await run(`
import { Keyv } from 'keyv'
${adapter}
const store = new Keyv(new Adapter(${where}))
const dispatcher = createDispatcher({ store, logger: false, storeTimeoutSeconds: 0.5, onUserUpserted: () => {} })
for (let sent = 0; sent < ${events}; sent++) console.log((await dispatcher.dispatch(event)).outcome)
await dispatcher.close()
await store.disconnect().catch(() => {})
`)
      expect(ended).toEqual({ code: 0, printed: Array(events).fill('store-unavailable').join('\n') })
    }
  })
})
