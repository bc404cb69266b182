import type { DirectoryApi } from './directory-api.ts'
import { groupPages, organizationPages, type PageOptions, userPages } from './pages.ts'
import { type DirectoryRef, type GroupRecord, groupRecord, type UserRecord, userRecord } from './records.ts'
import { type Retrying, retrying } from './retrying.ts'

/** Which customers: all of the environment, these ids, or those that a function of yours gives. */
export type Organizations = 'all' | readonly string[] | (() => OrganizationIds | Promise<OrganizationIds>)
type OrganizationIds = Iterable<string> | AsyncIterable<string>

/** What of a directory is read, and how. */
export interface ReadOptions extends Retrying {
  /** RFC 3339: only records that changed since. */
  updatedAfter?: string | undefined
  /** Records a call, at most 30. @default 30 */
  pageSize?: number | undefined
  /**
   * Whether records bring what the directory itself says of them. Without it nobody knows `active`, and an empty
   * list of groups tells nothing. @default true
   */
  includeDetail?: boolean | undefined
}

/**
 * The enabled directories of the organizations, one after the other. An organization without one is passed over.
 *
 * @example
 * for await (const directory of directories(await scalekitFromEnv(), 'all')) console.log(directory.id)
 */
export async function* directories(
  api: DirectoryApi,
  organizations: Organizations,
  options: Retrying = {},
): AsyncGenerator<DirectoryRef, void, void> {
  for await (const id of organizationIds(api, organizations, options)) {
    yield* await enabledDirectories(api, id, options)
  }
}

/**
 * All users of a directory, as a stream that holds two pages at most. Nothing is promised of their order, and one
 * who moves between pages meanwhile may come twice or not at all: never take absence for deletion.
 *
 * @throws what the API says, once further tries have not mended it; {@link PagingError}; the signal's reason
 * @example
 * for await (const { data } of directoryUsers(api, directory)) await accounts.upsert(data)
 */
export async function* directoryUsers(
  api: DirectoryApi,
  directory: DirectoryRef,
  options: ReadOptions = {},
): AsyncGenerator<UserRecord, void, void> {
  const detailed = options.includeDetail !== false
  for await (const { items } of userPages(api, directory, unobserved(options))) {
    for (const user of items) yield userRecord(user, directory, detailed)
  }
}

/** All groups of a directory, without their members; else as {@link directoryUsers}. */
export async function* directoryGroups(
  api: DirectoryApi,
  directory: DirectoryRef,
  options: ReadOptions = {},
): AsyncGenerator<GroupRecord, void, void> {
  for await (const { items } of groupPages(api, directory, unobserved(options))) {
    for (const group of items) yield groupRecord(group, directory)
  }
}

/** Each id once: with a customer who joins meanwhile, the API may list another twice. */
export async function* organizationIds(
  api: DirectoryApi,
  organizations: Organizations,
  options: Retrying = {},
): AsyncGenerator<string, void, void> {
  const seen = new Set<string>()
  for await (const id of await namedOrganizations(api, organizations, options)) {
    options.signal?.throwIfAborted()
    if (seen.has(id)) continue
    seen.add(id)
    yield id
  }
}

function namedOrganizations(
  api: DirectoryApi,
  organizations: Organizations,
  options: Retrying,
): OrganizationIds | Promise<OrganizationIds> {
  if (organizations === 'all') return allOrganizations(api, options)
  return typeof organizations === 'function' ? organizations() : organizations
}

async function* allOrganizations(api: DirectoryApi, options: Retrying): AsyncGenerator<string, void, void> {
  for await (const { items } of organizationPages(api, unobserved(options))) {
    for (const { id } of items) yield id
  }
}

export async function enabledDirectories(
  api: DirectoryApi,
  organizationId: string,
  options: Retrying = {},
): Promise<DirectoryRef[]> {
  const answer = await retrying(() => api.directory.listDirectories(organizationId), options)
  return answer.directories.filter(({ enabled }) => enabled).map(({ id }) => ({ organizationId, id }))
}

function unobserved<Options extends Retrying>(options: Options): Options & PageOptions<undefined> {
  return { ...options, observe: () => undefined }
}
