import type { HandlerContext, Handlers } from '@scalekit-scim/core'
import type { DirectoryRef, KnownRecord } from '@scalekit-scim/core/sync'
import type { Kind } from './environment.ts'

/** A row of the application's users table, or of its groups table. */
export interface Row {
  id: string
  kind: Kind
  organizationId: string
  /** `null` until an event contains the directory id. */
  directoryId: string | null
  /** `null` if the row was imported without a time. */
  occurredAt: string | null
  deleted: boolean
  /** Set for the application's own user, who signed up by email. */
  own: boolean
  /** The last time at which a webhook created or updated the record. */
  toldMs?: number
  /** The other columns of a user. */
  state?: UserState
}

/** The data of a user, as far as an event has it. */
export interface UserState {
  active?: boolean | null | undefined
  title?: string | null | undefined
  groupIds?: readonly string[] | undefined
}

/** The faults of the query behind `known`. */
export interface Mistakes {
  /** The ids that the query omits. */
  leavesOut: ReadonlySet<string>
  yieldsOwn: boolean
  /** Set if the query yields rows of all organizations, with or without the field `organizationId`. */
  yieldsOthers: 'no' | 'with-organization' | 'without'
  forgetsDirectory: boolean
  forgetsTime: boolean
  forgetsGroups: boolean
}

export const noMistakes: Mistakes = {
  leavesOut: new Set(),
  yieldsOwn: false,
  yieldsOthers: 'no',
  forgetsDirectory: false,
  forgetsTime: false,
  forgetsGroups: false,
}

/** One event for the application's handlers. */
export interface Effect {
  kind: Kind
  id: string
  organizationId: string
  deletes: boolean
  context: HandlerContext
  state: UserState
}

/** An application that follows the rules of the README: upserts, tombstones, and only newer writes. */
export class Accounts {
  readonly rows = new Map<string, Row>()
  mistakes: Mistakes = noMistakes
  /** Whether the rows only take newer events. See docs/guides/database-guard.md. */
  isGuarded = true

  live(): Row[] {
    return [...this.rows.values()].filter(({ deleted }) => !deleted)
  }

  /** Whether the row takes the event. Without the guard, it takes each event. */
  takes({ id, deletes, context: { occurredAt } }: Effect): boolean {
    const row = this.rows.get(id)
    if (!this.isGuarded || row?.occurredAt == null) return true
    return isNewer(row.occurredAt, occurredAt, deletes || !row.deleted)
  }

  put(effect: Effect, nowMs: number): void {
    if (!this.takes(effect)) return
    const { kind, id, organizationId, deletes, context, state } = effect
    const { occurredAt, source } = context
    const row = this.rows.get(id)
    this.rows.set(id, {
      id,
      kind,
      organizationId,
      directoryId: context.directoryId ?? row?.directoryId ?? null,
      occurredAt,
      deleted: deletes,
      own: row?.own ?? false,
      state: {
        active: state.active ?? row?.state?.active,
        title: state.title ?? row?.state?.title,
        groupIds: state.groupIds ?? row?.state?.groupIds,
      },
      ...(source === 'webhook' && !deletes ? { toldMs: nowMs } : {}),
    })
  }

  /** Returns the rows of the query behind `known` for one directory. */
  known(kind: Kind, { organizationId }: DirectoryRef): KnownRecord[] {
    const { leavesOut, yieldsOwn, yieldsOthers } = this.mistakes
    return this.live()
      .filter(
        (row) =>
          row.kind === kind &&
          (row.organizationId === organizationId || yieldsOthers !== 'no') &&
          (!row.own || yieldsOwn) &&
          !leavesOut.has(row.id),
      )
      .map((row) => this.#record(row))
  }

  #record({ id, occurredAt, directoryId, organizationId, state }: Row): KnownRecord {
    const { forgetsDirectory, forgetsTime, forgetsGroups, yieldsOthers } = this.mistakes
    return {
      id,
      ...(forgetsTime ? {} : { occurredAt }),
      ...(forgetsDirectory ? {} : { directoryId }),
      ...(forgetsGroups ? {} : { groupIds: state?.groupIds }),
      ...(yieldsOthers === 'with-organization' ? { organizationId } : {}),
    }
  }
}

interface HandledEvent {
  organization_id: string
  data: {
    id: string
    active?: boolean | null | undefined
    title?: string | null | undefined
    groups?: readonly { id: string }[] | null | undefined
  }
}

/** Handles all events of users and groups. */
export function handlersFor(handle: (effect: Effect) => Promise<void>): Handlers {
  const act =
    (kind: Kind, deletes: boolean) =>
    ({ organization_id: organizationId, data }: HandledEvent, context: HandlerContext) => {
      const { id, active, title, groups } = data
      const state = { active, title, groupIds: groups?.map((group) => group.id) }
      return handle({ kind, deletes, id, organizationId, context, state })
    }
  return {
    onUserUpserted: act('user', false),
    onUserDeleted: act('user', true),
    onGroupUpserted: act('group', false),
    onGroupDeleted: act('group', true),
  }
}

/** The README's guard. */
function isNewer(before: string, now: string, wins: boolean): boolean {
  return before < now || (before === now && wins)
}
