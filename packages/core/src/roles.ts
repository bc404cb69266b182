import type { DirectoryUser } from './events.ts'

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

/**
 * The application's roles for a user, the highest first and none twice. `undefined` where the event says nothing of
 * what is mapped: leave the roles as they are then. An empty list is an answer: the user has none.
 *
 * @example
 * const [role] = mapRoles(event.data, {
 *   groups: { Engineering: 'editor', 'IT Admins': 'admin' },
 *   precedence: ['admin', 'editor', 'viewer'],
 *   default: 'viewer',
 * }) ?? [account.role]
 */
export function mapRoles<Role extends string>(
  user: Pick<DirectoryUser, 'groups' | 'roles'>,
  mapping: RoleMapping<Role>,
): Role[] | undefined {
  const groups = mapping.groups && user.groups?.flatMap(({ id, name }) => lookUp(mapping.groups, id, name))
  const roles = mapping.roles && user.roles?.flatMap(({ role_name }) => lookUp(mapping.roles, role_name))
  if (!groups && !roles) return undefined

  const found = [...new Set([...(groups ?? []), ...(roles ?? [])])]
  if (found.length === 0) return mapping.default === undefined ? [] : [mapping.default]
  const rank = (role: Role) => {
    const index = mapping.precedence?.indexOf(role) ?? -1
    return index < 0 ? Number.POSITIVE_INFINITY : index
  }
  return found.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)))
}

/** Own keys alone: a group may be named `constructor`. */
function lookUp<Role extends string>(
  roles: Readonly<Record<string, Role>> | undefined,
  ...keys: (string | null | undefined)[]
): Role[] {
  const key = keys.find((key) => typeof key === 'string' && Object.hasOwn(roles ?? {}, key))
  const role = key == null ? undefined : roles?.[key]
  return role === undefined ? [] : [role]
}
