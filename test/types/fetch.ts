import { createReceiver } from '@scalekit-scim/core'
import { Hono } from 'hono'
import type { NextRequest } from 'next/server.js'

const receiver = createReceiver({ onUserUpserted: (event) => event.data.email })

// Hono
export const app = new Hono()
app.post('/x', (c) => receiver.fetch(c.req.raw))
app.post('/hooks/:env', (c) => receiver.fetch(c.req.raw, { params: c.req.param() }))

// A route handler of Next.js: app/hooks/[env]/route.ts
export const POST = (request: NextRequest, _ctx: { params: Promise<{ env: string }> }) =>
  receiver.fetch(request)
export const withParams = async (request: NextRequest, ctx: { params: Promise<{ env: string }> }) =>
  receiver.fetch(request, { params: await ctx.params })

/** The type of a Next.js route handler. */
type RouteHandler = (
  request: NextRequest,
  ctx: { params: Promise<{ env: string }> },
) => Response | Promise<Response>
export const handlers: RouteHandler[] = [POST, withParams]

// Bun, Deno and other servers of fetch handlers
export const server: { fetch(request: Request): Promise<Response> } = {
  fetch: (request) => receiver.fetch(request),
}

// @ts-expect-error a Node request is not a WHATWG request: receive() takes its parts
receiver.fetch({} as import('node:http').IncomingMessage)
