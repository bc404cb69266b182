import type {
  DirectoryUser,
  HandlerContext,
  Handlers,
  UserCreatedEvent,
  UserUpdatedEvent,
} from '@scalekit-scim/express'
import type { Accounts } from './accounts.ts'
import type { Groups } from './groups.ts'
import { rolesFor } from './roles.ts'

/** The effect of directory events in this application. */
export function directoryHandlers(accounts: Accounts, groups: Groups): Handlers {
  const upsertUser = (
    { organization_id, data }: UserCreatedEvent | UserUpdatedEvent,
    ctx: HandlerContext,
  ) => {
    const memberOf = groupsOf(data)
    const written = accounts.upsert({
      organizationId: organization_id,
      id: data.id,
      occurredAt: ctx.occurredAt,
      directoryId: ctx.directoryId,
      active: typeof data.active === 'boolean' ? data.active : undefined,
      email: text(data.email),
      name: text(data.name) ?? fullName(data),
      roles: rolesFor(memberOf),
      groups: memberOf,
    })
    logWhereKept(written, data.id, ctx)
  }

  return {
    // The user was created or updated. The update of a user can arrive before the creation.
    onUserUpserted: upsertUser,

    // The user has `active: false`. The handler does not delete the account or its data. Also end the sessions and
    // revoke the tokens of the account here.
    onUserDeactivated: upsertUser,

    onUserDeleted({ organization_id, data }, ctx) {
      const written = accounts.delete({ organizationId: organization_id, id: data.id }, ctx.occurredAt)
      logWhereKept(written, data.id, ctx)
    },

    onGroupUpserted({ organization_id, data }, ctx) {
      const written = groups.upsert({
        organizationId: organization_id,
        id: data.id,
        occurredAt: ctx.occurredAt,
        directoryId: ctx.directoryId,
        name: text(data.display_name),
      })
      logWhereKept(written, data.id, ctx)
    },

    onGroupDeleted({ organization_id, data }, ctx) {
      const written = groups.delete({ organizationId: organization_id, id: data.id }, ctx.occurredAt)
      logWhereKept(written, data.id, ctx)
    },

    // Usually, a directory is disabled only for a short time. So the handler only logs a warning, and does not
    // change the accounts.
    onDirectoryDisabled({ organization_id, data }, ctx) {
      ctx.log.warn(
        { organizationId: organization_id, directoryId: data.id },
        'a directory was disabled: its accounts do not get updates',
      )
    },
  }
}

/** Logs that the guard did not replace a newer row. The event counts as done, because a retry has the same result. */
function logWhereKept(written: boolean, id: string, { log, occurredAt }: HandlerContext): void {
  if (!written) log.warn({ id, occurredAt }, 'an event that the ledger accepted is older than its row')
}

// A directory can send any value in any field. The handler ignores an undocumented value and succeeds. After an
// error, each retry would also fail, and the application would lose the other fields of the event.

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function fullName({ given_name, family_name }: DirectoryUser): string | undefined {
  return [text(given_name), text(family_name)].filter(Boolean).join(' ') || undefined
}

function groupsOf({ groups }: DirectoryUser): { id: string; name: string | null }[] | undefined {
  if (!Array.isArray(groups)) return undefined
  return groups
    .filter((group) => typeof group?.id === 'string')
    .map((group) => ({ id: group.id, name: text(group.name) ?? null }))
}
