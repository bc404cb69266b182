import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { AccountKey, Accounts } from './accounts.ts'

const query = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  after: z.string().transform(parseCursor).optional(),
})

/**
 * `GET /accounts?limit=50&after=…` returns a page of accounts. To get the next page, pass `next` as `after`. On the
 * last page, `next` is null.
 *
 * The response contains names and emails. Before other people can reach the route, protect it with your own
 * authentication, for example an `onRequest` hook here.
 */
export function addAccountRoutes(app: FastifyInstance, accounts: Accounts): void {
  app.get('/accounts', async (request, reply) => {
    const { success, data } = query.safeParse(request.query)
    if (!success) {
      return reply.code(400).send({ error: '`limit` must be 1 to 200. `after` must be the `next` of a page' })
    }
    // The query reads one row more than requested, to find out whether there is another page.
    const found = await accounts.page(data.limit + 1, data.after)
    const shown = found.slice(0, data.limit)
    const last = found.length > shown.length ? shown.at(-1) : undefined
    reply.header('cache-control', 'no-store')
    return { accounts: shown, next: last ? cursorOf(last) : null }
  })
}

function cursorOf({ organizationId, id }: AccountKey): string {
  return Buffer.from(JSON.stringify([organizationId, id])).toString('base64url')
}

const cursor = z.tuple([z.string(), z.string()])

function parseCursor(text: string, context: z.RefinementCtx): AccountKey {
  try {
    const [organizationId, id] = cursor.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
    return { organizationId, id }
  } catch {
    context.addIssue('no cursor')
    return z.NEVER
  }
}
