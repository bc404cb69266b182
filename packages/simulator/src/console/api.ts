import { ConfigurationError } from '@scalekit-scim/core'
import express, { type ErrorRequestHandler, type Request, type Router } from 'express'
import { z } from 'zod'
import { DeliveryError } from '../delivery/errors.ts'
import type { WebhookFaults } from '../delivery/faults.ts'
import type { Message } from '../delivery/messages.ts'
import { EnvironmentError } from '../environment/errors.ts'
import type { User } from '../environment/records.ts'
import type { Simulator } from '../simulator.ts'
import {
  faultShares,
  messagesQuery,
  newDirectory,
  newEndpoint,
  newGroup,
  newOrganization,
  newUser,
  step,
  userPatch,
  usersQuery,
} from './requests.ts'
import { groupView, messageDetail, messageView, nameOf, simulatorView, userView } from './views.ts'

/** What the page's buttons do, and what it shows. */
export function consoleApi(simulator: Simulator): Router {
  const router = express.Router()
  router.use(express.json({ limit: '64kb' }))
  router.get('/state', (_request, response) => void response.json(simulatorView(simulator)))
  router.post('/clock/step', async (request, response) => {
    await simulator.step(step.parse(request.body).seconds * 1000)
    response.json({})
  })
  addDirectoryRoutes(router, simulator)
  addPeopleRoutes(router, simulator)
  addDeliveryRoutes(router, simulator)
  router.use((_request, response) => void response.status(404).json({ error: 'no such request' }))
  router.use(answerError)
  return router
}

function addDirectoryRoutes(router: Router, { environment }: Simulator): void {
  router.post('/organizations', (request, response) => {
    response.status(201).json(environment.createOrganization(newOrganization.parse(request.body)))
  })
  router.post('/organizations/:id/directories', (request, response) => {
    const { name, provider } = newDirectory.parse(request.body)
    const options = { ...(name ? { name } : {}), ...(provider ? { provider } : {}) }
    response.status(201).json(environment.createDirectory(request.params.id, options))
  })
  router.post('/directories/:id/enable', (request, response) => {
    response.json(environment.setDirectoryEnabled(request.params.id, true))
  })
  router.post('/directories/:id/disable', (request, response) => {
    response.json(environment.setDirectoryEnabled(request.params.id, false))
  })
  router.get('/directories/:id/groups', (request, response) => {
    response.json(environment.roster(request.params.id).groups.map((group) => groupView(environment, group)))
  })
  router.post('/directories/:id/groups', (request, response) => {
    const group = environment.createGroup(request.params.id, newGroup.parse(request.body))
    response.status(201).json(groupView(environment, group))
  })
  router.patch('/groups/:id', (request, response) => {
    response.json(
      groupView(environment, environment.updateGroup(request.params.id, newGroup.parse(request.body))),
    )
  })
  router.delete('/groups/:id', (request, response) => {
    environment.deleteGroup(request.params.id)
    response.status(204).end()
  })
}

function addPeopleRoutes(router: Router, { environment }: Simulator): void {
  router.get('/directories/:id/users', (request: Request<{ id: string }>, response) => {
    const { search, offset, limit } = usersQuery.parse(request.query)
    const found = matching(environment.roster(request.params.id).users, search)
    // The newest first: whoever was just hired is seen.
    const items = found.slice(Math.max(found.length - offset - limit, 0), found.length - offset).reverse()
    response.json({ count: found.length, items: items.map((user) => userView(environment, user)) })
  })
  router.post('/directories/:id/users', (request, response) => {
    const { groupIds = [], ...texts } = newUser.parse(request.body)
    const attributes = { userName: texts.email, ...present(texts) }
    const user = environment.createUser(request.params.id, { attributes, groupIds })
    response.status(201).json(userView(environment, user))
  })
  router.patch('/users/:id', (request, response) => {
    const { active, groupIds, ...texts } = userPatch.parse(request.body)
    const user = environment.updateUser(request.params.id, {
      ...(active === undefined ? {} : { active }),
      ...(groupIds === undefined ? {} : { groupIds }),
      attributes: withoutUndefined(texts),
    })
    response.json(userView(environment, user))
  })
  router.delete('/users/:id', (request, response) => {
    environment.deleteUser(request.params.id)
    response.status(204).end()
  })
}

function addDeliveryRoutes(router: Router, simulator: Simulator): void {
  const { deliveries } = simulator
  router.get('/messages', (request, response) => {
    const { limit, only } = messagesQuery.parse(request.query)
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
    router.post(`/messages/:id/${name}`, async (request: Request<{ id: string }>, response) => {
      await act(request.params.id)
      response.json({})
    })
  }
  router.post('/endpoints', (request, response) => {
    const { secret, types, url } = newEndpoint.parse(request.body)
    const endpoint = { url, ...(secret ? { secret } : {}), ...(types ? { types } : {}) }
    response.status(201).json(deliveries.addEndpoint(endpoint))
  })
  router.delete('/endpoints/:id', (request, response) => {
    deliveries.removeEndpoint(request.params.id)
    response.status(204).end()
  })
  router.post('/endpoints/:id/rotate-secret', (request, response) => {
    response.json(deliveries.rotateSecret(request.params.id))
  })
  router.put('/faults', (request, response) => {
    deliveries.faults = withShares(deliveries.faults, faultShares.parse(request.body))
    response.json({})
  })
}

/** To one of those that it is for. */
function isUndelivered({ deliveries }: Message): boolean {
  return deliveries.some(({ state }) => state !== 'delivered')
}

/** What a fault does where nothing else was asked for. */
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

function withShares(faults: WebhookFaults, shares: z.infer<typeof faultShares>): WebhookFaults {
  const after = faultShares.keyType.options.map((name) => {
    const share = shares[name] ?? faults[name]?.share ?? 0
    return [name, share > 0 ? { ...faultDefaults[name], ...faults[name], share } : undefined]
  })
  return Object.fromEntries(after.filter(([, fault]) => fault !== undefined))
}

function matching(users: readonly User[], search: string): readonly User[] {
  const wanted = search.trim().toLowerCase()
  if (wanted === '') return users
  return users.filter((user) => `${nameOf(user)} ${user.attributes.email}`.toLowerCase().includes(wanted))
}

function present<Fields extends Record<string, unknown>>(fields: Fields) {
  const entries = Object.entries(fields).filter(([, value]) => value != null)
  return Object.fromEntries(entries) as { [Name in keyof Fields]: NonNullable<Fields[Name]> }
}

function withoutUndefined<Fields extends Record<string, unknown>>(fields: Fields) {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [Name in keyof Fields]: Exclude<Fields[Name], undefined> }
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
  // A secret that is none; what it says never holds it.
  if (error instanceof ConfigurationError) {
    return void response.status(400).json({ error: error.message })
  }
  if (error instanceof z.ZodError) {
    const [issue] = error.issues
    // What is wrong with the body as a whole has no path.
    const said = [issue?.path.join('.'), issue?.message].filter(Boolean)
    return void response.status(400).json({ error: said.join(': ') })
  }
  response.status(error?.status ?? 500).json({ error: error?.expose ? error.message : 'internal error' })
}
