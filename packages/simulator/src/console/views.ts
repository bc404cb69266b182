import type { Attempt, Delivery, Message } from '../delivery/messages.ts'
import type { Environment } from '../environment/environment.ts'
import { type Directory, type Group, providers, type User } from '../environment/records.ts'
import type { Simulator } from '../simulator.ts'

// The data that the page shows.

export function simulatorView(simulator: Simulator) {
  const { environment, deliveries, clock, url, variables } = simulator
  return {
    url,
    variables,
    clock: { nowMs: clock.now(), speed: clock.speed },
    providers,
    organizations: environment.organizations.map(({ id, displayName }) => ({
      id,
      displayName,
      directories: environment.directoriesOf(id).map((directory) => ({
        ...directory,
        scimUrl: `${url}/scim/v2/${directory.id}`,
      })),
    })),
    endpoints: deliveries.endpoints,
    faults: deliveries.faults,
  }
}

export function userView(environment: Environment, user: User) {
  const { id, active, attributes } = user
  return {
    ...attributes,
    id,
    name: nameOf(user),
    active,
    groups: environment.groupsOf(user).map(({ id, displayName }) => ({ id, name: displayName })),
  }
}

export function groupView(environment: Environment, { id, displayName, directoryId }: Group) {
  return { id, displayName, memberCount: environment.contents(directoryId).memberCount(id) }
}

export function nameOf({ attributes: { displayName, givenName, familyName, userName } }: User): string {
  return displayName ?? ([givenName, familyName].filter(Boolean).join(' ') || userName)
}

/** Returns the message as a row of the list. */
export function messageView(simulator: Simulator, { id, event, createdAtMs, deliveries }: Message) {
  const { environment } = simulator
  // The log also contains messages of deleted organizations.
  const customer = environment.organizations.find(({ id }) => id === event.organization_id)
  const directories = customer ? environment.directoriesOf(customer.id) : []
  return {
    id,
    type: event.type,
    what: subjectOf(event.data, directories),
    customer: customer?.displayName,
    createdAtMs,
    deliveries: deliveries.map((delivery) => deliveryView(simulator, delivery, createdAtMs, attemptView)),
  }
}

/** Returns the message with all requests and responses. */
export function messageDetail(simulator: Simulator, { id, event, createdAtMs, deliveries }: Message) {
  const views = deliveries.map((delivery) => deliveryView(simulator, delivery, createdAtMs, attemptDetail))
  return { id, event, deliveries: views }
}

function deliveryView(
  { deliveries }: Simulator,
  { attempts, ...delivery }: Delivery,
  createdAtMs: number,
  view: (attempt: Attempt) => object,
) {
  const endpoint = deliveries.endpoints.find(({ id }) => id === delivery.endpointId)
  const url = endpoint?.url ?? 'an endpoint that was removed'
  return { ...delivery, url, createdAtMs, attempts: attempts.map(view) }
}

function attemptView({ number, trigger, startedAtMs, durationMs, response, error, faults }: Attempt) {
  const outcome = response?.headers['scalekit-scim-outcome']
  return { number, trigger, startedAtMs, durationMs, status: response?.status, outcome, error, faults }
}

function attemptDetail(attempt: Attempt) {
  const { request, response } = attempt
  return {
    ...attemptView(attempt),
    requestHeaders: request.headers,
    responseHeaders: response?.headers,
    responseBody: response?.body,
  }
}

/** Returns a name. The event of a directory contains only an id, so the name comes from the environment. */
function subjectOf(data: object, directories: readonly Directory[]): string {
  const { name, display_name, email, preferred_username, id } = data as Partial<Record<string, unknown>>
  const directoryName = directories.find((directory) => directory.id === id)?.name
  return String(name || display_name || email || preferred_username || directoryName || id || '')
}
