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
}

export const noMistakes: Mistakes = {
  leavesOut: new Set(),
  yieldsOwn: false,
  yieldsOthers: 'no',
  forgetsDirectory: false,
  forgetsTime: false,
}

/** One event for the application's handlers. */
export interface Effect {
  kind: Kind
  id: string
  organizationId: string
  deletes: boolean
  context: HandlerContext
}

/** An application that follows the rules of the README: upserts, tombstones, and only newer writes. */
export class Accounts {
  readonly rows = new Map<string, Row>()
  mistakes: Mistakes = noMistakes

  live(): Row[] {
    return [...this.rows.values()].filter(({ deleted }) => !deleted)
  }

  put({ kind, id, organizationId, deletes, context }: Effect, nowMs: number): void {
    const row = this.rows.get(id)
    const { occurredAt, source } = context
    if (row?.occurredAt != null && !isNewer(row.occurredAt, occurredAt, deletes || !row.deleted)) return
    this.rows.set(id, {
      id,
      kind,
      organizationId,
      directoryId: context.directoryId ?? row?.directoryId ?? null,
      occurredAt,
      deleted: deletes,
      own: row?.own ?? false,
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

  #record({ id, occurredAt, directoryId, organizationId }: Row): KnownRecord {
    const { forgetsDirectory, forgetsTime, yieldsOthers } = this.mistakes
    return {
      id,
      ...(forgetsTime ? {} : { occurredAt }),
      ...(forgetsDirectory ? {} : { directoryId }),
      ...(yieldsOthers === 'with-organization' ? { organizationId } : {}),
    }
  }
}

/** Handles all events of users and groups. */
export function handlersFor(handle: (effect: Effect) => Promise<void>): Handlers {
  const act =
    (kind: Kind, deletes: boolean) =>
    (event: { organization_id: string; data: { id: string } }, context: HandlerContext) =>
      handle({ kind, deletes, id: event.data.id, organizationId: event.organization_id, context })
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
