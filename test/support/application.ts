import {
  createDispatcher,
  type Dispatcher,
  type DispatcherOptions,
  type ScimEvent,
} from '@scalekit-scim/core'
import type { Known } from '@scalekit-scim/core/sync'
import { onTestFinished } from 'vitest'

export interface Row {
  id: string
  active: boolean | undefined
  title: string | undefined
  occurredAt: string
  groupIds: string[]
  deleted: boolean
}

/** An application that stores users and groups in maps. It follows the rules of the README: upserts and tombstones. */
export interface Application {
  dispatcher: Dispatcher
  users: Map<string, Row>
  groups: Map<string, Row>
  /** Entries such as `created diruser_1`, in the order in which the handlers ran. */
  history: string[]
  /** Runs before each handler. */
  before: (event: ScimEvent) => unknown
  known: { users: Known; groups: Known }
  live(): string[]
}

export function application(options: DispatcherOptions = {}): Application {
  const app: Omit<Application, 'dispatcher'> = {
    users: new Map(),
    groups: new Map(),
    history: [],
    before: () => {},
    known: {
      users: () => rowsOf(app.users),
      groups: () => rowsOf(app.groups),
    },
    live: () => [...app.users.values()].filter(({ deleted }) => !deleted).map(({ id }) => id),
  }
  const heard = async (event: ScimEvent & { data: { id: string } }) => {
    await app.before(event)
    app.history.push(`${event.type.split('_').at(-1)} ${event.data.id}`)
  }
  const dispatcher = createDispatcher({
    store: 'memory',
    logger: false,
    ...options,
    onUserCreated: async (event, ctx) => {
      await heard(event)
      put(app.users, event.data, ctx.occurredAt)
    },
    onUserUpdated: async (event, ctx) => {
      await heard(event)
      put(app.users, event.data, ctx.occurredAt)
    },
    onUserDeleted: async (event, ctx) => {
      await heard(event)
      put(app.users, event.data, ctx.occurredAt, true)
    },
    onGroupUpserted: async (event, ctx) => {
      await heard(event)
      put(app.groups, event.data, ctx.occurredAt)
    },
    onGroupDeleted: async (event, ctx) => {
      await heard(event)
      put(app.groups, event.data, ctx.occurredAt, true)
    },
  })
  onTestFinished(() => dispatcher.close({ graceSeconds: 1 }))
  return Object.assign(app, { dispatcher })
}

interface Data {
  id: string
  active?: boolean | null
  title?: string | null
  groups?: { id: string }[] | null
}

function put(rows: Map<string, Row>, data: Data, occurredAt: string, deleted = false): void {
  const old = rows.get(data.id)
  rows.set(data.id, {
    id: data.id,
    active: data.active ?? old?.active,
    title: data.title ?? old?.title,
    groupIds: data.groups?.map(({ id }) => id) ?? old?.groupIds ?? [],
    occurredAt,
    deleted,
  })
}

function* rowsOf(rows: Map<string, Row>) {
  for (const { id, occurredAt, groupIds, deleted } of rows.values()) {
    if (!deleted) yield { id, occurredAt, groupIds }
  }
}

/** Adds rows with a time in the past, as if the rows existed before the test. */
export function have(
  app: Application,
  ids: readonly string[],
  occurredAt = '2026-06-01T09:00:00.000000000Z',
): void {
  for (const id of ids) {
    app.users.set(id, { id, active: true, title: undefined, occurredAt, groupIds: [], deleted: false })
  }
}
