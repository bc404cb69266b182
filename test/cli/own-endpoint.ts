import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'

// Endpoints as teams write them, without the project's middleware. The doctor reports no problem of the endpoint
// without mistakes. So its report about another endpoint is only about that endpoint's mistake.

export interface Mistakes {
  /** Verifies `JSON.stringify(req.body)`. */
  verifiesParsedBody?: true
  /** Checks a signature only if there is one. */
  acceptsUnsigned?: true
  verifiesNothing?: true
  ignoresTime?: true
  /** @default 201 */
  status?: number
  /** Does the work in `setImmediate`, after it has answered. */
  answersBeforeItWorks?: true
  /** Upserts the row, even if the message is done. */
  repeatsSilently?: true
  /** Inserts a row, even if the message is done. */
  forgetsMessages?: true
  /** Checks whether the message is done, awaits, and then stores it. */
  asksBeforeItWrites?: true
  readsFirstSignatureOnly?: true
  comparesWithoutLength?: true
  /** @default '1mb' */
  bodyLimit?: string
  rejectsUnknownTypes?: true
  endsOnMalformedBody?: true
  failsOnUnknownUsers?: true
  /** Crashes when an event of that type arrives. */
  crashesOn?: string
}

export function ownEndpoint(mistakes: Mistakes = {}): Express {
  const app = express()
  const limit = mistakes.bodyLimit ?? '1mb'
  const parser = mistakes.verifiesParsedBody
    ? express.json({ limit })
    : express.raw({ type: () => true, limit })
  const accounts = new Accounts(mistakes)
  app.post('/hooks', parser, async (req: Request, res: Response) => {
    const body = mistakes.verifiesParsedBody ? JSON.stringify(req.body) : bytesOf(req.body)
    if (!isGenuine(req, body, mistakes)) return void res.status(400).json({ error: 'Invalid signature' })
    const event = eventFrom(body, mistakes)
    if (!event) return void res.status(400).json({ error: 'Invalid payload' })
    if (event.type === mistakes.crashesOn) return crash()
    if (mistakes.rejectsUnknownTypes && !event.type.startsWith('organization.')) {
      return void res.status(422).json({ error: 'Unknown type' })
    }
    if (mistakes.answersBeforeItWorks) {
      setImmediate(() => void accounts.apply(String(req.headers['webhook-id']), event).catch(() => {}))
      return void res.status(200).json({ message: 'Done' })
    }
    const isNew = await accounts.apply(String(req.headers['webhook-id']), event)
    if (mistakes.status === 204) return void res.status(204).end()
    res.status(mistakes.status ?? (isNew ? 201 : 200)).json({ message: isNew ? 'Done' : 'Done before' })
  })
  app.use((error: { status?: number }, _req: Request, res: Response, _next: NextFunction) => {
    res.status(error.status ?? 500).json({ error: 'Failed' })
  })
  return app
}

interface DirectoryEvent {
  type: string
  data: { id: string; name?: string }
}

function eventFrom(
  body: string | Buffer,
  { endsOnMalformedBody, answersBeforeItWorks }: Mistakes,
): DirectoryEvent | undefined {
  try {
    const event = JSON.parse(String(body))
    const isUsable = typeof event?.type === 'string' && (event.data || answersBeforeItWorks)
    return isUsable ? event : undefined
  } catch {
    if (endsOnMalformedBody) crash()
    return undefined
  }
}

function bytesOf(body: unknown): Buffer {
  return Buffer.isBuffer(body) ? body : Buffer.alloc(0)
}

function isGenuine(req: Request, body: string | Buffer, mistakes: Mistakes): boolean {
  const id = req.get('webhook-id')
  const timestamp = req.get('webhook-timestamp')
  const signatures = req.get('webhook-signature')
  if (mistakes.verifiesNothing) return true
  if (!id || !timestamp || !signatures) return mistakes.acceptsUnsigned === true
  const distance = Math.abs(Date.now() / 1000 - Number(timestamp))
  if (!mistakes.ignoresTime && !(distance <= 300)) return false

  const key = Buffer.from(TEST_SECRET.slice('whsec_'.length), 'base64')
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest()
  const entries = signatures.split(' ').slice(0, mistakes.readsFirstSignatureOnly ? 1 : undefined)
  return entries.some((entry) => {
    const [version, text = ''] = entry.split(',')
    const given = Buffer.from(text, 'base64')
    const isComparable = mistakes.comparesWithoutLength || given.length === expected.length
    return version === 'v1' && isComparable && timingSafeEqual(given, expected)
  })
}

/** Real tables, so that a second insert fails as it does in a database. */
class Accounts {
  readonly #database = new DatabaseSync(':memory:')
  readonly #mistakes: Mistakes

  constructor(mistakes: Mistakes) {
    this.#mistakes = mistakes
    this.#database.exec(`
      CREATE TABLE accounts (id TEXT PRIMARY KEY, name TEXT) STRICT;
      CREATE TABLE messages (id TEXT PRIMARY KEY) STRICT`)
  }

  /** Returns `false` if the message was done before. */
  async apply(messageId: string, event: DirectoryEvent): Promise<boolean> {
    if (this.#mistakes.forgetsMessages || this.#mistakes.repeatsSilently) {
      this.#write(event)
      return true
    }
    if (this.#mistakes.asksBeforeItWrites) {
      if (this.#database.prepare('SELECT 1 FROM messages WHERE id = ?').get(messageId)) return false
      await new Promise((resolve) => setTimeout(resolve, 50))
      this.#write(event)
      this.#database.prepare('INSERT INTO messages VALUES (?)').run(messageId)
      return true
    }
    const { changes } = this.#database
      .prepare('INSERT INTO messages VALUES (?) ON CONFLICT DO NOTHING')
      .run(messageId)
    if (changes === 1) this.#write(event)
    return changes === 1
  }

  #write({ type, data }: DirectoryEvent): void {
    const insertsPlainly = this.#mistakes.forgetsMessages || this.#mistakes.asksBeforeItWrites
    const orUpdate = insertsPlainly ? '' : 'ON CONFLICT DO UPDATE SET name = excluded.name'
    const insert = `INSERT INTO accounts (id, name) VALUES (?, ?) ${orUpdate}`
    const values = [data.id, data.name ?? null]
    if (type.endsWith('user_created')) this.#database.prepare(insert).run(...values)
    if (type.endsWith('user_updated') && !this.#mistakes.failsOnUnknownUsers) {
      this.#database
        .prepare(
          'INSERT INTO accounts (id, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = excluded.name',
        )
        .run(...values)
    }
    if (/user_(updated|deleted)$/.test(type) && this.#mistakes.failsOnUnknownUsers) {
      if (!this.#database.prepare('SELECT 1 FROM accounts WHERE id = ?').get(data.id)) {
        throw new Error('no such account')
      }
    }
    if (type.endsWith('user_deleted'))
      this.#database.prepare('DELETE FROM accounts WHERE id = ?').run(data.id)
  }
}

// ── Serving ──

/** Simulates an uncaught error, because a real uncaught error ends the process of the test. */
function crash(): void {
  servers.at(-1)?.close().closeAllConnections()
}

const servers: ReturnType<typeof createServer>[] = []

/** Serves on a free local port until {@link stopServing}. Returns the address of the endpoint. */
export async function serve(listener: RequestListener, path = '/hooks'): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
}

export async function stopServing(): Promise<void> {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    if (server.listening) await new Promise((resolve) => server.close(resolve))
  }
}
