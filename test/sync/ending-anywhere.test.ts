import type { Ledger } from '@scalekit-scim/core'
import { createDirectorySync, type DirectoryApi, type Known } from '@scalekit-scim/core/sync'
import { afterAll, beforeAll, expect, onTestFailed, test } from 'vitest'
import { application, have } from '../support/application.ts'
import { people, TestApi, TestDirectory } from '../support/paged-directories.ts'
import { hastyClock } from './in-process-api.ts'

// A pass makes dozens of calls to the API, the application and the store. The tests end it during each of them.

const unheard: unknown[] = []
const hear = (reason: unknown) => unheard.push(reason)
beforeAll(() => void process.on('unhandledRejection', hear))
afterAll(() => void process.off('unhandledRejection', hear))

type Ask = (question: string) => Promise<void>

/** A directory with one user who has left, and one who has changed. Each call runs a hook first. */
function scene(ask: Ask) {
  const app = application()
  const directory = new TestDirectory('org_1', people(65))
  directory.teams = [{ id: 'dirgroup_new' }]
  have(app, ['diruser_gone', ...directory.people.slice(1).map(({ id }) => id)])
  const listings = new TestApi(directory)
  const asked = (question: string, known: Known): Known =>
    async function* (...parameters) {
      await ask(question)
      for await (const record of await known(...parameters)) {
        if (record.id === 'diruser_40') await ask(question)
        yield record
      }
    }
  const sync = createDirectorySync({
    scalekit: {
      organization: asking(listings.organization, ask),
      directory: asking(listings.directory, ask),
    } satisfies DirectoryApi,
    dispatcher: Object.assign(app.dispatcher, { ledger: askingLedger(app.dispatcher.ledger, ask) }),
    organizations: 'all',
    known: { users: asked('known users', app.known.users), groups: asked('known groups', app.known.groups) },
    logger: false,
    clock: hastyClock,
  })
  return { app, sync }
}

/** Returns a copy of the object in which each method runs the hook first. */
function asking<Methods extends object>(methods: Methods, ask: Ask): Methods {
  return new Proxy(methods, {
    get: (target, name) => {
      const method = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      return async (...parameters: unknown[]) => {
        await ask(String(name))
        return Reflect.apply(method, target, parameters)
      }
    },
  })
}

/**
 * Returns a ledger in which `now` runs the hook first. The other calls have no hook, because a pass must await its
 * writes.
 */
function askingLedger(ledger: Ledger, ask: Ask): Ledger {
  return new Proxy(ledger, {
    get: (target, name) => {
      if (name === 'now') {
        return async () => {
          await ask('now')
          return target.now()
        }
      }
      const value = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

async function questions(): Promise<string[]> {
  const asked: string[] = []
  const { app, sync } = scene(async (question) => void asked.push(question))
  expect(await sync.run()).toMatchObject({
    outcome: 'complete',
    totals: { users: { created: 1, deleted: 1 } },
  })
  expect(app.live()).toHaveLength(65)
  return asked
}

test.each([
  { answers: 'still returns', after: async () => {} },
  { answers: 'never returns', after: () => new Promise<never>(() => {}) },
])('a pass ends during a call that $answers, and nothing continues', async ({ after }) => {
  let asked = 'nothing'
  onTestFailed(() => console.error(`ended while it asked for ${asked}`))
  for (const [at, question] of (await questions()).entries()) {
    asked = `${question}, its question ${at}`
    const end = new AbortController()
    let number = 0
    const { app, sync } = scene(async () => {
      if (number++ !== at) return
      end.abort()
      await after()
    })
    const report = await sync.run({ signal: end.signal })
    expect(report).toMatchObject({ outcome: 'cancelled', error: { name: 'AbortError' } })
    const applied = app.history.length
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(app.history).toHaveLength(applied)
    expect(await app.dispatcher.ledger.record('sync:pass').read()).toBeUndefined()
    expect(unheard).toEqual([])
  }
})

test('a pass with a failing call deletes no listed user, and the next pass completes the work', async () => {
  let asked = 'nothing'
  onTestFailed(() => console.error(`failed at ${asked}`))
  for (const [at, question] of (await questions()).entries()) {
    asked = `${question}, its question ${at}`
    let number = 0
    const { app, sync } = scene(async () => {
      if (number++ === at) throw new TypeError('no')
    })
    await sync.run()
    expect(app.live()).toEqual(
      expect.arrayContaining(
        people(65)
          .map(({ id }) => id)
          .slice(1),
      ),
    )
    expect(await app.dispatcher.ledger.record('sync:pass').read()).toBeUndefined()
    // A record read in the same millisecond as an applied event is not newer.
    await new Promise((resolve) => setTimeout(resolve, 2))
    expect((await sync.run()).outcome).toBe('complete')
    expect(app.live().sort()).toEqual(
      people(65)
        .map(({ id }) => id)
        .sort(),
    )
    expect(unheard).toEqual([])
  }
})
