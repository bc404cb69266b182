import type { UserGroup, UserRole } from './events.ts'

export interface RoleMapping<Role extends string> {
  /** Role by group: by the group's id, else by its name, exactly as the directory writes it. */
  groups?: Readonly<Record<string, Role>> | undefined
  /** Role by Scalekit's `role_name`. */
  roles?: Readonly<Record<string, Role>> | undefined
  /** The order of the result, the highest first; roles that are not in it come last. */
  precedence?: readonly Role[] | undefined
  /** For a user whose groups and roles are known and map to nothing. */
  default?: Role | undefined
}

/** The two fields of a user's event that roles come from. A list that is none is unknown, like one that is absent. */
export interface RoleSources {
  groups?: readonly UserGroup[] | null | undefined
  roles?: readonly UserRole[] | null | undefined
}

/**
 * The application's roles for a user, the highest first and none twice. `undefined` where the event does not say all
 * that is mapped: leave the roles as they are then, or half of the truth takes away what the other half gave. An
 * empty list is an answer: the user has none.
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
      // What a directory sends passes as it is, so an entry may be no object at all.
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

/** Own keys alone: a group may be named `constructor`. */
function lookUp<Role extends string>(
  table: Readonly<Record<string, Role>>,
  keys: readonly unknown[],
): Role | undefined {
  const key = keys.find((key): key is string => typeof key === 'string' && Object.hasOwn(table, key))
  return key === undefined ? undefined : table[key]
}
