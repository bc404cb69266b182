import { omitUndefined } from '@scalekit-scim/core/internal'
import type { ApiDirectory, DirectoryApi } from './directory-api.ts'
import { pages, type ReadOptions, recordPages } from './pages.ts'
import {
  type DirectoryRef,
  type GroupRecord,
  groupKind,
  type Kind,
  type UserRecord,
  userKind,
} from './records.ts'
import { type Retrying, retrying } from './retrying.ts'

/** The organizations to read: 'all' organizations of the environment, a list of ids, or a function that returns ids. */
export type Organizations = 'all' | readonly string[] | (() => OrganizationIds | Promise<OrganizationIds>)
type OrganizationIds = Iterable<string> | AsyncIterable<string>

const organizationPageSize = 100

/**
 * Lists the enabled directories of the organizations, one after another. Skips organizations without an enabled
 * directory.
 *
 * @example
 * for await (const directory of directories(await scalekitFromEnv(), 'all')) console.log(directory.id)
 */
export async function* directories(
  api: DirectoryApi,
  organizations: Organizations,
  options: Retrying = {},
): AsyncGenerator<DirectoryRef, void, void> {
  for await (const organizationId of organizationIds(api, organizations, options)) {
    const listed = await listDirectories(api, organizationId, options)
    for (const { id, enabled } of listed) if (enabled) yield { organizationId, id }
  }
}

/** Lists all directories of an organization, including disabled directories. */
export async function listDirectories(
  api: DirectoryApi,
  organizationId: string,
  options: Retrying,
): Promise<readonly ApiDirectory[]> {
  return (await retrying(() => api.directory.listDirectories(organizationId), options)).directories
}

/**
 * Lists all users of a directory, as a stream that has at most two pages in memory. The order is not specified. If a
 * user joins or leaves during the reading, the stream can contain another user twice or not at all. So never treat a
 * missing user as deleted.
 *
 * @throws the API's error after the last retry; {@link PagingError}; the signal's reason
 * @example
 * for await (const { data } of directoryUsers(api, directory)) await accounts.upsert(data)
 */
export function directoryUsers(
  api: DirectoryApi,
  directory: DirectoryRef,
  options: ReadOptions = {},
): AsyncGenerator<UserRecord, void, void> {
  return records(userKind, api, directory, options)
}

/** Lists all groups of a directory, without their members. The rules are the same as for {@link directoryUsers}. */
export function directoryGroups(
  api: DirectoryApi,
  directory: DirectoryRef,
  options: ReadOptions = {},
): AsyncGenerator<GroupRecord, void, void> {
  return records(groupKind, api, directory, options)
}

async function* records<Item extends { id: string }, Listed extends UserRecord | GroupRecord>(
  kind: Kind<Item, Listed>,
  api: DirectoryApi,
  directory: DirectoryRef,
  options: ReadOptions,
): AsyncGenerator<Listed, void, void> {
  const detailed = options.includeDetail !== false
  const listed = recordPages(kind, api, directory, { ...options, observe: () => undefined })
  for await (const { items } of listed) for (const item of items) yield kind.record(item, directory, detailed)
}

/** Yields each id once. If a new customer joins during the reading, the API can list an organization twice. */
export async function* organizationIds(
  api: DirectoryApi,
  organizations: Organizations,
  options: Retrying,
): AsyncGenerator<string, void, void> {
  const seen = new Set<string>()
  const ids = typeof organizations === 'function' ? await organizations() : organizations
  for await (const id of ids === 'all' ? allOrganizations(api, options) : ids) {
    options.signal?.throwIfAborted()
    if (!seen.has(id)) yield id
    seen.add(id)
  }
}

async function* allOrganizations(api: DirectoryApi, options: Retrying): AsyncGenerator<string, void, void> {
  const ask = (pageToken?: string) =>
    api.organization.listOrganization({ pageSize: organizationPageSize, ...omitUndefined({ pageToken }) })
  for await (const { organizations } of pages(ask, options)) {
    for (const { id } of organizations) yield id
  }
}
