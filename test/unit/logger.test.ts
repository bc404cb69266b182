import { Writable } from 'node:stream'
import { createReceiver, type Logger, type ReceiverOptions } from '@scalekit-scim/core'
import { sampleEvent, signDelivery, TEST_SECRET } from '@scalekit-scim/core/testing'
import fastify from 'fastify'
import pino from 'pino'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { completeLogger } from '../../packages/core/src/base/logger.ts'
import { recordingLogger } from './recording-logger.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** Receives one event that is processed (info) and one attempt that does not verify (warn). */
async function receiveTwo(logger: ReceiverOptions['logger']): Promise<string[]> {
  const receiver = createReceiver({ secret: TEST_SECRET, onUserUpserted: () => {}, logger })
  const delivery = signDelivery(sampleEvent('organization.directory.user_created'))
  const outcomes = [
    await receiver.receive({ url: '/', ...delivery }),
    await receiver.receive({ url: '/', ...delivery, body: Buffer.from('{}') }),
  ]
  return outcomes.map(({ outcome }) => outcome)
}

const asEver = ['processed', 'invalid-signature']

/** A stream that stores the JSON lines written to it. */
function keptLines(): { stream: Writable; lines: { level: number; msg: string; outcome?: string }[] } {
  const lines: { level: number; msg: string; outcome?: string }[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      for (const line of String(chunk).trim().split('\n')) lines.push(JSON.parse(line))
      done()
    },
  })
  return { stream, lines }
}

describe('an unchanged logger', () => {
  test('pino gets fields and message', async () => {
    const { stream, lines } = keptLines()
    expect(await receiveTwo(pino({ level: 'debug' }, stream))).toEqual(asEver)
    expect(lines).toMatchObject([
      { level: 30, outcome: 'processed', msg: 'processed' },
      { level: 40, outcome: 'invalid-signature' },
    ])
  })

  test("pino's child logger gets both, with its own fields", async () => {
    const { stream, lines } = keptLines()
    await receiveTwo(pino(stream).child({ component: 'scim' }))
    expect(lines[0]).toMatchObject({ component: 'scim', outcome: 'processed' })
  })

  test("Fastify's logger gets fields and message", async () => {
    const { stream, lines } = keptLines()
    expect(await receiveTwo(fastify({ logger: { stream } }).log)).toEqual(asEver)
    expect(lines).toMatchObject([{ outcome: 'processed' }, { outcome: 'invalid-signature' }])
  })

  test('console gets fields and message', async () => {
    const info = vi.spyOn(console, 'info').mockImplementation(() => {})
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(await receiveTwo(console)).toEqual(asEver)
    expect(info).toHaveBeenCalledWith(expect.objectContaining({ outcome: 'processed' }), 'processed')
    expect(warn).toHaveBeenCalledOnce()
  })

  test('a method is called on its logger, because the logger can have private fields', () => {
    class Counting implements Partial<Logger> {
      #count = 0
      warn() {
        this.#count++
      }
      get count() {
        return this.#count
      }
    }
    const logger = new Counting()
    completeLogger(logger).warn({}, 'a warning')
    expect(logger.count).toBe(1)
  })
})

describe('a partial logger', () => {
  test('a partial logger gets only the calls of its levels', async () => {
    const { logger, lines } = recordingLogger()
    expect(await receiveTwo({ warn: logger.warn })).toEqual(asEver)
    expect(lines.map(({ level }) => level)).toEqual(['warn'])
  })

  test('a logger without any method logs nothing', async () => {
    const spies = consoleSpies()
    expect(await receiveTwo({})).toEqual(asEver)
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  test('a logger of `false` logs nothing', async () => {
    const spies = consoleSpies()
    expect(await receiveTwo(false)).toEqual(asEver)
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  test('by default, the console gets one line for each warning and error', async () => {
    const [debug, info, warn] = consoleSpies()
    expect(await receiveTwo(undefined)).toEqual(asEver)
    expect(debug).not.toHaveBeenCalled()
    expect(info).not.toHaveBeenCalled()
    expect(warn?.mock.calls).toEqual([[expect.stringMatching(/^scalekit-scim: [^\n]+$/)]])
  })
})

test('a logger that throws does not change the outcome of an event', async () => {
  const fail = () => {
    throw new Error('the disk is full')
  }
  expect(await receiveTwo({ debug: fail, info: fail, warn: fail, error: fail })).toEqual(asEver)
})

test("a request's logger that throws does not change the outcome of an event", async () => {
  const fail = () => {
    throw new Error('the disk is full')
  }
  const receiver = createReceiver({ secret: TEST_SECRET, onUserUpserted: () => {}, logger: false })
  const log = { debug: fail, info: fail, warn: fail, error: fail }
  const { outcome } = await receiver.receive({
    url: '/',
    ...signDelivery(sampleEvent('organization.directory.user_created')),
    log,
  })
  expect(outcome).toBe('processed')
})

test('a logger that rejects does not change the outcome of an event, nor end the process', async () => {
  const fail = () => Promise.reject(new Error('the disk is full'))
  const unhandled: unknown[] = []
  const listener = (error: unknown) => unhandled.push(error)
  process.on('unhandledRejection', listener)
  try {
    expect(await receiveTwo({ debug: fail, info: fail, warn: fail, error: fail })).toEqual(asEver)
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.off('unhandledRejection', listener)
  }
  expect(unhandled).toEqual([])
})

test.each(['production', 'staging', '', undefined])(
  'with NODE_ENV %j, no line has the body, the signature, the secret, an email or a handler’s message',
  async (environment) => {
    vi.stubEnv('NODE_ENV', environment)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { logger, lines } = recordingLogger()
    const receiver = createReceiver({
      secret: TEST_SECRET,
      store: 'memory',
      logger,
      onUserUpserted: () => {
        throw Object.assign(new Error('private-message amelia.hart@example.com'), {
          detail: 'private-detail',
        })
      },
    })
    const delivery = signDelivery(sampleEvent('organization.directory.user_created'))
    const { outcome } = await receiver.receive({ url: '/', ...delivery })
    await receiver.receive({ url: '/', ...delivery, body: Buffer.from('{"private-body":1}') })
    expect(outcome).toBe('handler-failed')
    const text = JSON.stringify(lines)
    for (const secret of ['private-', 'amelia', 'Hart', TEST_SECRET, delivery.headers['webhook-signature']]) {
      expect(text).not.toContain(secret)
    }
    expect(lines.map(({ level }) => level)).toEqual(['error', 'warn'])
  },
)

describe.each(['development', 'test'])('with NODE_ENV %s', (environment) => {
  async function linesOf(thrown: unknown, options: ReceiverOptions = {}) {
    vi.stubEnv('NODE_ENV', environment)
    onTestFinished(() => void vi.unstubAllEnvs())
    const { logger, lines } = recordingLogger()
    const receiver = createReceiver({
      secret: TEST_SECRET,
      logger,
      onUserUpserted: () => {
        throw thrown
      },
      ...options,
    })
    await receiver.receive({ url: '/', ...signDelivery(sampleEvent('organization.directory.user_created')) })
    return lines
  }

  test('the line of a failed handler has the message of its error', async () => {
    expect(await linesOf(new Error('no such table: accounts'))).toMatchObject([
      { fields: { outcome: 'handler-failed', errorMessage: 'no such table: accounts' } },
    ])
    expect(await linesOf('thrown as text')).toMatchObject([{ fields: { errorMessage: 'thrown as text' } }])
  })

  test('a long message is cut', async () => {
    expect(await linesOf(new Error('x'.repeat(1e6)))).toMatchObject([
      { fields: { errorMessage: 'x'.repeat(1000) } },
    ])
  })

  test('the line of a handler that failed after its deadline has the message too', async () => {
    const lines = await linesOf(undefined, {
      deadlineSeconds: 0.05,
      onUserUpserted: async () => {
        await new Promise((resolve) => setTimeout(resolve, 150))
        throw new Error('too late')
      },
    })
    await expect.poll(() => lines).toMatchObject([{}, { fields: { errorMessage: 'too late' } }])
  })

  test('a thrown value without a readable message is logged without one', async () => {
    const hostile = Object.defineProperty(new Error(), 'message', {
      get() {
        throw new Error('no')
      },
    })
    for (const thrown of [hostile, { message: 'of no error' }, 7, undefined]) {
      const [line] = await linesOf(thrown)
      expect(line?.fields).not.toHaveProperty('errorMessage')
    }
  })

  test('the lines of other failures have no message', async () => {
    const lines = await linesOf(undefined, { secret: () => Promise.reject(new Error('private-message')) })
    expect(JSON.stringify(lines)).not.toContain('private-message')
  })
})

function consoleSpies() {
  return (['debug', 'info', 'warn', 'error'] as const).map((level) =>
    vi.spyOn(console, level).mockImplementation(() => {}),
  )
}
