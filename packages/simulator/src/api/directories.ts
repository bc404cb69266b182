import type { Timestamp } from '@bufbuild/protobuf/wkt'
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect'
import type { DirectoryService } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/directories/directories_pb.js'
import type { DirectoryContents } from '../environment/directory-contents.ts'
import type { Environment } from '../environment/environment.ts'
import { type Directory, EnvironmentError, type Group, type User } from '../environment/records.ts'
import type { ApiFaultDraw } from './faults.ts'
import { directoryMessage, groupMessage, microsOf, providerOf, userMessage } from './messages.ts'
import { type PageRequest, pageOf } from './pages.ts'

interface ListRequest extends PageRequest {
  directoryId: string
  directoryGroupId?: string | undefined
  updatedAfter?: Timestamp | undefined
}

/** Answers the calls of the SDK's `directory` client. The lists include disabled directories. */
export function directoryService(
  environment: Environment,
  faults: ApiFaultDraw,
  url: string,
): Partial<ServiceImpl<typeof DirectoryService>> {
  const describe = (directory: Directory) =>
    directoryMessage(directory, environment.contents(directory.id), url)
  const directoryIn = (organizationId: string, id: string): Directory => {
    const directory = environment.directory(id)
    if (directory.organizationId === organizationId) return directory
    throw new EnvironmentError('not-found', 'directory not found')
  }
  const setEnabled = (organizationId: string, id: string, enabled: boolean) => ({
    enabled: environment.setDirectoryEnabled(directoryIn(organizationId, id).id, enabled).enabled,
  })
  const contentsIn = (organizationId: string, id: string) =>
    environment.contents(directoryIn(organizationId, id).id)
  const paged = <Item extends { readonly updatedAtMicros: number }>(
    all: readonly Item[],
    kind: 'users' | 'groups',
    request: ListRequest,
    context: HandlerContext,
  ) => {
    const { directoryId, directoryGroupId = '' } = request
    const after = request.updatedAfter && microsOf(request.updatedAfter)
    const items = after === undefined ? all : all.filter(({ updatedAtMicros }) => updatedAtMicros > after)
    const ordered = faults.faults.orderByUpdate
      ? items.toSorted((a, b) => a.updatedAtMicros - b.updatedAtMicros)
      : items
    const listing = [kind, directoryId, directoryGroupId, after ?? ''].join(' ')
    return pageOf(ordered, listing, request, context)
  }

  return {
    listDirectories: ({ organizationId }) => ({
      directories: environment.directoriesOf(organizationId).map(describe),
    }),
    getDirectory: ({ organizationId, id }) => ({ directory: describe(directoryIn(organizationId, id)) }),
    /**
     * The new directory is disabled. In Scalekit too, a directory is disabled until the customer has set up the
     * directory.
     */
    createDirectory({ organizationId, directory }) {
      const provider = providerOf(directory?.directoryProvider ?? 0)
      const created = environment.createDirectory(organizationId, { provider, enabled: false })
      return { directory: describe(created) }
    },
    deleteDirectory({ organizationId, id }) {
      environment.deleteDirectory(directoryIn(organizationId, id).id)
      return {}
    },
    enableDirectory: ({ organizationId, id }) => setEnabled(organizationId, id, true),
    disableDirectory: ({ organizationId, id }) => setEnabled(organizationId, id, false),
    listDirectoryUsers(request, context) {
      const contents = contentsIn(request.organizationId, request.directoryId)
      const members = usersIn(contents, request.directoryGroupId)
      const { items, ...page } = paged(members, 'users', request, context)
      const message = (user: User) => userMessage(user, environment.groupsOf(user), request.includeDetail)
      return { ...page, users: items.map(message) }
    },
    listDirectoryGroups(request, context) {
      const contents = contentsIn(request.organizationId, request.directoryId)
      const { items, ...page } = paged(contents.groups, 'groups', request, context)
      const message = (group: Group) =>
        groupMessage(group, contents.memberCount(group.id), request.includeDetail)
      return { ...page, groups: items.map(message) }
    },
  }
}

function usersIn(contents: DirectoryContents, groupId: string | undefined): readonly User[] {
  if (groupId === undefined) return contents.users
  if (!contents.group(groupId)) throw new EnvironmentError('not-found', 'group not found')
  return contents.users.filter((user) => user.groupIds.includes(groupId))
}
