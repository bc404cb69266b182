import type { Timestamp } from '@bufbuild/protobuf/wkt'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import type { DirectoryService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/directories/directories_pb.js'
import type { Environment } from '../environment/environment.ts'
import { EnvironmentError } from '../environment/errors.ts'
import type { Directory, User } from '../environment/records.ts'
import type { Roster } from '../environment/roster.ts'
import { occasionKey } from './context.ts'
import type { ApiFaultDraw } from './faults.ts'
import { byUpdate, derived, updatedAfter } from './listings.ts'
import { directoryMessage, groupMessage, microsOf, providerOf, userMessage } from './messages.ts'
import { type PageRequest, pageOf } from './pages.ts'

export interface ServiceOptions {
  environment: Environment
  faults: ApiFaultDraw
  url: string
}

interface ListRequest extends PageRequest {
  directoryId: string
  directoryGroupId?: string | undefined
  updatedAfter?: Timestamp | undefined
}

/** The calls behind the SDK's `directory` client. A directory that is disabled is listed like any other. */
export function directoryService({
  environment,
  faults,
  url,
}: ServiceOptions): Partial<ServiceImpl<typeof DirectoryService>> {
  const describe = (directory: Directory) =>
    directoryMessage(directory, environment.roster(directory.id), url)
  const directoryIn = (organizationId: string, id: string): Directory => {
    const directory = environment.directory(id)
    if (directory.organizationId === organizationId) return directory
    throw new EnvironmentError('not-found', 'directory not found')
  }
  const rosterIn = (organizationId: string, id: string) =>
    environment.roster(directoryIn(organizationId, id).id)
  const paged = <Item extends { readonly updatedAtMicros: number }>(
    items: readonly Item[],
    kind: 'users' | 'groups',
    request: ListRequest,
    { values }: HandlerContext,
  ) => {
    const { directoryId, directoryGroupId = '', updatedAfter } = request
    const after = updatedAfter ? microsOf(updatedAfter) : ''
    const ordered = faults.faults.orderByUpdate ? byUpdate(items) : items
    const listing = [kind, directoryId, directoryGroupId, after].join(' ')
    return pageOf(ordered, listing, request, faults, values.get(occasionKey))
  }

  return {
    listDirectories: ({ organizationId }) => ({
      directories: environment.directoriesOf(organizationId).map(describe),
    }),
    getDirectory: ({ organizationId, id }) => ({ directory: describe(directoryIn(organizationId, id)) }),
    /** Disabled at first: Scalekit has one set up by the customer before it is switched on. */
    createDirectory({ organizationId, directory }) {
      const provider = providerOf(directory?.directoryProvider ?? 0)
      return {
        directory: describe(environment.createDirectory(organizationId, { provider, enabled: false })),
      }
    },
    deleteDirectory({ organizationId, id }) {
      environment.deleteDirectory(directoryIn(organizationId, id).id)
      return {}
    },
    enableDirectory: ({ organizationId, id }) => ({
      enabled: environment.setDirectoryEnabled(directoryIn(organizationId, id).id, true).enabled,
    }),
    disableDirectory: ({ organizationId, id }) => ({
      enabled: environment.setDirectoryEnabled(directoryIn(organizationId, id).id, false).enabled,
    }),
    listDirectoryUsers(request, context) {
      const roster = rosterIn(request.organizationId, request.directoryId)
      const members = inGroup(roster, request.directoryGroupId)
      const changed = request.updatedAfter ? updatedAfter(members, microsOf(request.updatedAfter)) : members
      const { items, ...page } = paged(changed, 'users', request, context)
      const includeDetail = request.includeDetail ?? false
      return {
        ...page,
        users: items.map((user) => userMessage(user, environment.groupsOf(user), includeDetail)),
      }
    },
    listDirectoryGroups(request, context) {
      const roster = rosterIn(request.organizationId, request.directoryId)
      const { groups } = roster
      const changed = request.updatedAfter ? updatedAfter(groups, microsOf(request.updatedAfter)) : groups
      const { items, ...page } = paged(changed, 'groups', request, context)
      const includeDetail = request.includeDetail ?? false
      return {
        ...page,
        groups: items.map((group) => groupMessage(group, roster.memberCount(group.id), includeDetail)),
      }
    },
  }
}

function inGroup(roster: Roster, groupId: string | undefined): readonly User[] {
  if (groupId === undefined) return roster.users
  if (!roster.group(groupId)) throw new EnvironmentError('not-found', 'group not found')
  return derived(roster.users, `in ${groupId}`, (users) =>
    users.filter((user) => user.groupIds.includes(groupId)),
  )
}
