import type { UserGroup, UserRole } from './events.ts'

export interface RoleMapping<Role extends string> {
  /**
   * The role for each group. A key is a group's id or its exact name in the directory. `mapRoles` looks up the id
   * first.
   */
  groups?: Readonly<Record<string, Role>> | undefined
  /** The role for each `role_name` of Scalekit. */
  roles?: Readonly<Record<string, Role>> | undefined
  /** The roles from highest to lowest. The result has the same order. Roles that are not listed come last. */
  precedence?: readonly Role[] | undefined
  /** If the event contains the groups and roles of a user, but you map none of them, the user gets this role. */
  default?: Role | undefined
}

/** The fields of a user event that `mapRoles` reads. If a value is not a list, it counts as unknown. */
export interface RoleSources {
  groups?: readonly UserGroup[] | null | undefined
  roles?: readonly UserRole[] | null | undefined
}

/**
 * Returns the application's roles for a user, highest first, without duplicates. If the list is empty, the user does
 * not have a role. If the event does not contain the list that you map (`groups` or `roles`), returns `undefined`. In
 * this case, do not change the stored roles.
 *
 * @example
 * const [role] = mapRoles(event.data, {
 *   groups: { Engineering: 'editor', 'IT Admins': 'admin' },
 *   precedence: ['admin', 'editor', 'viewer'],
 *   default: 'viewer',
 * }) ?? [account.role]
 */
export function mapRoles<Role extends string>(
  user: RoleSources,
  mapping: RoleMapping<Role>,
): Role[] | undefined {
  const found = new Set<Role>()
  const sources = [
    [mapping.groups, user.groups, (group: UserGroup) => [group.id, group.name]],
    [mapping.roles, user.roles, (role: UserRole) => [role.role_name]],
  ] as const
  for (const [table, listed, keysOf] of sources) {
    if (!table) continue
    if (!Array.isArray(listed)) return undefined
    for (const entry of listed) {
      // The parser accepts wrong entries, so an entry can be any value.
      const role = typeof entry === 'object' && entry !== null ? lookUp(table, keysOf(entry)) : undefined
      if (role !== undefined) found.add(role)
    }
  }
  if (!mapping.groups && !mapping.roles) return undefined
  if (found.size === 0) return mapping.default === undefined ? [] : [mapping.default]

  const rank = (role: Role) => {
    const index = mapping.precedence?.indexOf(role) ?? -1
    return index < 0 ? Number.MAX_SAFE_INTEGER : index
  }
  return [...found].sort((a, b) => rank(a) - rank(b))
}

/** Looks up own keys only, because a group can be named `constructor`. */
function lookUp<Role extends string>(
  table: Readonly<Record<string, Role>>,
  keys: readonly unknown[],
): Role | undefined {
  const key = keys.find((key): key is string => typeof key === 'string' && Object.hasOwn(table, key))
  return key === undefined ? undefined : table[key]
}
