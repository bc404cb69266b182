import { ConfigurationError } from '@scalekit-scim/core'
import { omitUndefined } from '@scalekit-scim/core/internal'
import express, { type ErrorRequestHandler, type Request, type Router } from 'express'
import { z } from 'zod'
import { faultNames, type WebhookFaults } from '../delivery/faults.ts'
import { DeliveryError, type Message } from '../delivery/messages.ts'
import { EnvironmentError } from '../environment/errors.ts'
import type { User } from '../environment/records.ts'
import type { Simulator } from '../simulator.ts'
import * as requests from './requests.ts'
import { groupView, messageDetail, messageView, nameOf, simulatorView, userView } from './views.ts'

/** Answers the requests of the console page. */
export function consoleApi(simulator: Simulator): Router {
  const router = express.Router()
  router.use(express.json({ limit: '64kb' }))
  router.get('/state', (_request, response) => void response.json(simulatorView(simulator)))
  router.post('/clock/step', async (request, response) => {
    await simulator.step(requests.step.parse(request.body).seconds * 1000)
    response.json({})
  })
  addDirectoryRoutes(router, simulator)
  addUserRoutes(router, simulator)
  addDeliveryRoutes(router, simulator)
  router.use((_request, response) => void response.status(404).json({ error: 'no such request' }))
  router.use(answerError)
  return router
}

type IdRequest = Request<{ id: string }>

function addDirectoryRoutes(router: Router, { environment }: Simulator): void {
  router.post('/organizations', (request, response) => {
    const organization = environment.createOrganization(requests.newOrganization.parse(request.body))
    response.status(201).json(organization)
  })
  router.post('/organizations/:id/directories', (request, response) => {
    const options = omitUndefined(requests.newDirectory.parse(request.body))
    response.status(201).json(environment.createDirectory(request.params.id, options))
  })
  for (const [action, enabled] of [
    ['enable', true],
    ['disable', false],
  ] as const) {
    router.post(`/directories/:id/${action}`, (request: IdRequest, response) => {
      response.json(environment.setDirectoryEnabled(request.params.id, enabled))
    })
  }
  router.get('/directories/:id/groups', (request, response) => {
    const { groups } = environment.contents(request.params.id)
    response.json(groups.map((group) => groupView(environment, group)))
  })
  router.post('/directories/:id/groups', (request, response) => {
    const group = environment.createGroup(request.params.id, requests.newGroup.parse(request.body))
    response.status(201).json(groupView(environment, group))
  })
  router.patch('/groups/:id', (request, response) => {
    const group = environment.updateGroup(request.params.id, requests.newGroup.parse(request.body))
    response.json(groupView(environment, group))
  })
  router.delete('/groups/:id', (request, response) => {
    environment.deleteGroup(request.params.id)
    response.status(204).end()
  })
}

function addUserRoutes(router: Router, { environment }: Simulator): void {
  router.get('/directories/:id/users', (request: IdRequest, response) => {
    const { search, offset, limit } = requests.usersQuery.parse(request.query)
    const found = matching(environment.contents(request.params.id).users, search)
    // The newest users are first, so that a new user is visible.
    const items = found.slice(Math.max(found.length - offset - limit, 0), found.length - offset).reverse()
    response.json({ count: found.length, items: items.map((user) => userView(environment, user)) })
  })
  router.post('/directories/:id/users', (request, response) => {
    const { groupIds = [], title, familyName, ...texts } = requests.newUser.parse(request.body)
    const optional = omitUndefined({ title: title ?? undefined, familyName: familyName ?? undefined })
    const attributes = { userName: texts.email, ...texts, ...optional }
    const user = environment.createUser(request.params.id, { attributes, groupIds })
    response.status(201).json(userView(environment, user))
  })
  router.patch('/users/:id', (request, response) => {
    const { active, groupIds, ...texts } = requests.userPatch.parse(request.body)
    const attributes = omitUndefined(texts)
    const patch = { ...omitUndefined({ active, groupIds }), attributes }
    response.json(userView(environment, environment.updateUser(request.params.id, patch)))
  })
  router.delete('/users/:id', (request, response) => {
    environment.deleteUser(request.params.id)
    response.status(204).end()
  })
}

function addDeliveryRoutes(router: Router, simulator: Simulator): void {
  const { deliveries } = simulator
  router.get('/messages', (request, response) => {
    const { limit, only } = requests.messagesQuery.parse(request.query)
    const found = only === undefined ? deliveries.messages : deliveries.messages.filter(isUndelivered)
    const newest = found.slice(-limit).reverse()
    response.json({ count: found.length, items: newest.map((message) => messageView(simulator, message)) })
  })
  router.get('/messages/:id', (request, response) => {
    const message = deliveries.message(request.params.id)
    if (!message) throw new DeliveryError('not-found', 'message not found')
    response.json(messageDetail(simulator, message))
  })
  const actions = {
    replay: (id: string) => deliveries.replay(id),
    duplicate: (id: string) => deliveries.duplicate(id, 3),
    forge: (id: string) => deliveries.forge(id),
  }
  for (const [name, act] of Object.entries(actions)) {
    router.post(`/messages/:id/${name}`, async (request: IdRequest, response) => {
      await act(request.params.id)
      response.json({})
    })
  }
  router.post('/endpoints', (request, response) => {
    const { url, ...optional } = requests.newEndpoint.parse(request.body)
    response.status(201).json(deliveries.addEndpoint({ url, ...omitUndefined(optional) }))
  })
  router.delete('/endpoints/:id', (request, response) => {
    deliveries.removeEndpoint(request.params.id)
    response.status(204).end()
  })
  router.post('/endpoints/:id/rotate-secret', (request, response) => {
    response.json(deliveries.rotateSecret(request.params.id))
  })
  router.put('/faults', (request, response) => {
    deliveries.faults = withShares(deliveries.faults, requests.faultShares.parse(request.body))
    response.json({})
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

const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error)
  if (error instanceof EnvironmentError || error instanceof DeliveryError) {
    return void response.status(statuses[error.reason]).json({ error: error.message })
  }
  // The secret is invalid. The message does not contain the secret.
  if (error instanceof ConfigurationError) {
    return void response.status(400).json({ error: error.message })
  }
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    // A problem of the whole body has no path.
    const parts = [issue?.path.join('.'), issue?.message].filter(Boolean)
    return void response.status(400).json({ error: parts.join(': ') })
  }
  response.status(error?.status ?? 500).json({ error: error?.expose ? error.message : 'internal error' })
}
