import { mapRoles, type UserGroup } from '@scalekit-scim/fastify'

export type Role = 'admin' | 'editor' | 'viewer'

const precedence: readonly Role[] = ['admin', 'editor', 'viewer']
export const defaultRole: Role = 'viewer'

/**
 * The role of each group, by the group's name in your customers' directories. You can also use a group's id
 * (`dirgroup_…`). If the group gets another name, the id does not change.
 */
const roleOfGroup: Readonly<Record<string, Role>> = {
  'IT Admins': 'admin',
  Engineering: 'editor',
}

/** Returns the user's roles, the highest role first. If the event does not contain the groups, returns `undefined`. */
export function rolesFor(groups: UserGroup[] | undefined): Role[] | undefined {
  return mapRoles({ groups: groups ?? null }, { groups: roleOfGroup, precedence, default: defaultRole })
}
