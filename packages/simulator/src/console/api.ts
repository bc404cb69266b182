import { STATUS_CODES } from 'node:http'
import { ConfigurationError } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import express, { type ErrorRequestHandler, type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import { faultNames, type WebhookFaults } from '../delivery/faults.ts'
import { DeliveryError, type Message } from '../delivery/messages.ts'
import { EnvironmentError, type Group, type User } from '../environment/records.ts'
import type { Simulator } from '../simulator.ts'
import * as requests from './requests.ts'
import { groupView, messageDetail, messageView, nameOf, simulatorView, userView } from './views.ts'

type AddRoute = (
  method: 'get' | 'post' | 'put' | 'patch' | 'delete',
  path: string,
  handler: (request: Request<{ id: string }>) => unknown,
) => void

/** Answers the requests of the console page. */
export function consoleApi(simulator: Simulator): Router {
  const router = express.Router()
  router.use(express.json({ limit: '64kb' }))
  const on: AddRoute = (method, path, handler) => {
    router[method](path, async (request: Request<{ id: string }>, response: Response) => {
      const result = await handler(request)
      if (result === undefined) response.status(204).end()
      else response.status(method === 'post' ? 201 : 200).json(result)
    })
  }
  on('get', '/state', () => simulatorView(simulator))
  on('post', '/clock/step', ({ body }) => simulator.step(requests.step.parse(body).seconds * 1000))
  addDirectoryRoutes(on, simulator)
  addUserRoutes(on, simulator)
  addDeliveryRoutes(on, simulator)
  router.use((_request, response) => void response.status(404).json({ error: 'unknown request' }))
  return router
}

function addDirectoryRoutes(on: AddRoute, { environment }: Simulator): void {
  const view = (group: Group) => groupView(environment, group)
  on('post', '/organizations', ({ body }) => environment.createOrganization(requests.named.parse(body)))
  on('post', '/organizations/:id/directories', ({ params, body }) =>
    environment.createDirectory(params.id, omitUndefined(requests.newDirectory.parse(body))),
  )
  on('post', '/directories/:id/enable', ({ params }) => environment.setDirectoryEnabled(params.id, true))
  on('post', '/directories/:id/disable', ({ params }) => environment.setDirectoryEnabled(params.id, false))
  on('get', '/directories/:id/groups', ({ params }) => environment.contents(params.id).groups.map(view))
  on('post', '/directories/:id/groups', ({ params, body }) =>
    view(environment.createGroup(params.id, requests.named.parse(body))),
  )
  on('patch', '/groups/:id', ({ params, body }) =>
    view(environment.updateGroup(params.id, requests.named.parse(body))),
  )
  on('delete', '/groups/:id', ({ params }) => environment.deleteGroup(params.id))
}

function addUserRoutes(on: AddRoute, { environment }: Simulator): void {
  const view = (user: User) => userView(environment, user)
  on('get', '/directories/:id/users', ({ params, query }) => {
    const { search, offset, limit } = requests.usersQuery.parse(query)
    const found = matching(environment.contents(params.id).users, search)
    // The newest users come first, so that the first page shows a new user.
    const items = found.slice(Math.max(found.length - offset - limit, 0), found.length - offset).reverse()
    return { count: found.length, items: items.map(view) }
  })
  on('post', '/directories/:id/users', ({ params, body }) => {
    const { groupIds = [], title, familyName, ...texts } = requests.newUser.parse(body)
    const optional = omitUndefined({ title: title ?? undefined, familyName: familyName ?? undefined })
    const attributes = { userName: texts.email, ...texts, ...optional }
    return view(environment.createUser(params.id, { attributes, groupIds }))
  })
  on('patch', '/users/:id', ({ params, body }) => {
    const { active, groupIds, ...texts } = requests.userPatch.parse(body)
    const patch = { ...omitUndefined({ active, groupIds }), attributes: omitUndefined(texts) }
    return view(environment.updateUser(params.id, patch))
  })
  on('delete', '/users/:id', ({ params }) => environment.deleteUser(params.id))
}

function addDeliveryRoutes(on: AddRoute, simulator: Simulator): void {
  const { deliveries } = simulator
  on('get', '/messages', ({ query }) => {
    const { limit, only } = requests.messagesQuery.parse(query)
    const found = only === undefined ? deliveries.messages : deliveries.messages.filter(isUndelivered)
    const newest = found.slice(-limit).reverse()
    return { count: found.length, items: newest.map((message) => messageView(simulator, message)) }
  })
  on('get', '/messages/:id', ({ params }) => {
    const message = deliveries.message(params.id)
    if (!message) throw new DeliveryError('not-found', 'message not found')
    return messageDetail(simulator, message)
  })
  on('post', '/messages/:id/replay', ({ params }) => deliveries.replay(params.id))
  on('post', '/messages/:id/duplicate', ({ params }) => deliveries.duplicate(params.id, 3))
  on('post', '/messages/:id/forge', ({ params }) => deliveries.forge(params.id))
  on('post', '/endpoints', ({ body }) => {
    const { url, ...optional } = requests.newEndpoint.parse(body)
    return deliveries.addEndpoint({ url, ...omitUndefined(optional) })
  })
  on('delete', '/endpoints/:id', ({ params }) => deliveries.removeEndpoint(params.id))
  on('post', '/endpoints/:id/rotate-secret', ({ params }) => deliveries.rotateSecret(params.id))
  on('put', '/faults', ({ body }) => {
    deliveries.faults = withShares(deliveries.faults, requests.faultShares.parse(body))
  })
}

function isUndelivered({ deliveries }: Message): boolean {
  return deliveries.some(({ state }) => state !== 'delivered')
}

/** The default settings of each fault, without its share. */
const faultDefaults = {
  drop: {},
  delay: { seconds: 30 },
  duplicate: { copies: 3 },
  reorder: {},
  corruptSignature: {},
  clockSkew: { seconds: 600 },
  truncate: {},
  slow: { seconds: 5 },
}

function withShares(faults: WebhookFaults, shares: z.infer<typeof requests.faultShares>): WebhookFaults {
  const after = faultNames.map((name) => {
    const share = shares[name] ?? faults[name]?.share ?? 0
    return [name, share > 0 ? { ...faultDefaults[name], ...faults[name], share } : undefined]
  })
  return omitUndefined(Object.fromEntries(after))
}

function matching(users: readonly User[], search: string): readonly User[] {
  const text = search.trim().toLowerCase()
  if (text === '') return users
  return users.filter((user) => `${nameOf(user)} ${user.attributes.email}`.toLowerCase().includes(text))
}

const statuses = {
  'not-found': 404,
  invalid: 400,
  conflict: 409,
  'directory-disabled': 409,
  closed: 503,
} as const

/** Answers the errors of all routes except SCIM. The default handler of Express would show the stack. */
export const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  const refuse = (status: number, message: string) => void response.status(status).json({ error: message })
  if (error instanceof EnvironmentError || error instanceof DeliveryError) {
    return refuse(statuses[error.reason], error.message)
  }
  // The secret of an endpoint is invalid. The error's message does not contain the secret.
  if (error instanceof ConfigurationError) return refuse(400, error.message)
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    // If the whole body is invalid, the issue does not have a path.
    return refuse(400, [issue?.path.join('.'), issue?.message].filter(Boolean).join(': '))
  }
  // The errors of Express's body parsers have a status.
  const status = error?.status ?? 500
  refuse(status, STATUS_CODES[status] ?? 'Error')
}
