import type { WebhookFaults } from '../delivery/faults.ts'
import type { Attempt, Delivery, Message } from '../delivery/messages.ts'
import type { Environment } from '../environment/environment.ts'
import { EnvironmentError } from '../environment/errors.ts'
import { formatMicros } from '../environment/events.ts'
import { type Directory, type Group, providers, type User } from '../environment/records.ts'
import type { Simulator } from '../simulator.ts'

// The data for the page. It contains only what one screen shows.

export function simulatorView(simulator: Simulator) {
  const { environment, deliveries, clock, url, variables } = simulator
  return {
    url,
    variables,
    environmentId: environment.id,
    clock: { nowMs: clock.now(), speed: clock.speed },
    providers,
    organizations: environment.organizations.map(({ id, displayName }) => ({
      id,
      displayName,
      directories: environment.directoriesOf(id).map((directory) => directoryView(directory, url)),
    })),
    endpoints: deliveries.endpoints,
    faults: faultShares(deliveries.faults),
  }
}

function directoryView({ id, name, provider, enabled, scimToken }: Directory, url: string) {
  return { id, name, provider, enabled, scimUrl: `${url}/scim/v2/${id}`, scimToken }
}

function faultShares(faults: WebhookFaults): Record<string, number> {
  return Object.fromEntries(Object.entries(faults).map(([name, fault]) => [name, fault?.share ?? 0]))
}

export function userView(environment: Environment, user: User) {
  const { id, active, attributes, updatedAtMicros } = user
  const { givenName, familyName, email, title } = attributes
  return {
    id,
    name: nameOf(user),
    givenName,
    familyName,
    email,
    title,
    active,
    groups: environment.groupsOf(user).map(({ id, displayName }) => ({ id, name: displayName })),
    updatedAt: formatMicros(updatedAtMicros),
  }
}

export function groupView(environment: Environment, { id, displayName, directoryId }: Group) {
  return { id, displayName, memberCount: environment.contents(directoryId).memberCount(id) }
}

export function nameOf({ attributes: { displayName, givenName, familyName, userName } }: User): string {
  return displayName ?? ([givenName, familyName].filter(Boolean).join(' ') || userName)
}

/** One row of the list. */
export function messageView(simulator: Simulator, message: Message) {
  const { id, event, createdAtMs, deliveries } = message
  return {
    id,
    type: event.type,
    what: subjectOf(simulator.environment, event.data),
    customer: customerOf(simulator.environment, event.organization_id),
    createdAtMs,
    deliveries: deliveries.map((delivery) => ({
      ...deliveryView(simulator, delivery, createdAtMs),
      attempts: delivery.attempts.map(attemptView),
    })),
  }
}

/** The whole message: requests and responses. */
export function messageDetail(simulator: Simulator, { id, event, createdAtMs, deliveries }: Message) {
  const attemptDetail = (attempt: Attempt) => ({
    ...attemptView(attempt),
    requestHeaders: attempt.request.headers,
    responseHeaders: attempt.response?.headers,
    responseBody: attempt.response?.body,
  })
  const views = deliveries.map((delivery) => ({
    ...deliveryView(simulator, delivery, createdAtMs),
    attempts: delivery.attempts.map(attemptDetail),
  }))
  return { id, event, deliveries: views }
}

function deliveryView({ deliveries }: Simulator, delivery: Delivery, createdAtMs: number) {
  const { endpointId, state, givenUp, attemptsUnderWay, nextAttemptAtMs } = delivery
  const url = deliveries.endpoints.find(({ id }) => id === endpointId)?.url ?? 'an endpoint that was removed'
  return { endpointId, url, state, givenUp, attemptsUnderWay, nextAttemptAtMs, createdAtMs }
}

function attemptView({ number, trigger, startedAtMs, durationMs, response, error, faults }: Attempt) {
  const outcome = response?.headers['scalekit-scim-outcome']
  return { number, trigger, startedAtMs, durationMs, status: response?.status, outcome, error, faults }
}

/** The event of a directory contains only the directory's id, so the name comes from the environment. */
function subjectOf(environment: Environment, data: object): string {
  const { name, display_name, email, preferred_username, id } = data as Partial<Record<string, unknown>>
  const readable = name || display_name || email || preferred_username
  return String(readable || unlessDeleted(() => environment.directory(String(id)).name) || id || '')
}

function customerOf(environment: Environment, organizationId: unknown): string | undefined {
  return unlessDeleted(() => environment.organization(String(organizationId)).displayName)
}

/** Returns `undefined` if the record was deleted, because messages about a deleted record are kept. */
function unlessDeleted(find: () => string): string | undefined {
  try {
    return find()
  } catch (error) {
    if (error instanceof EnvironmentError) return undefined
    throw error
  }
}
