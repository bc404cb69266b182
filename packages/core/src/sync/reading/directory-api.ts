// Interfaces for the parts of `ScalekitClient` (@scalekit-sdk/node) that the sync calls, because core does not load the
// SDK. The SDK's classes implement these interfaces. You can also implement the interfaces yourself.

/** A time as protobuf encodes it. */
export interface ApiTimestamp {
  seconds: bigint
  nanos: number
}

export interface ApiOrganization {
  id: string
}

export interface ApiDirectory {
  id: string
  organizationId: string
  enabled: boolean
}

export interface ApiGroup {
  id: string
  displayName: string
  updatedAt?: ApiTimestamp | undefined
  groupDetail?: Record<string, unknown> | undefined
}

export interface ApiUser {
  id: string
  email: string
  preferredUsername: string
  givenName: string
  familyName: string
  groups: readonly ApiGroup[]
  updatedAt?: ApiTimestamp | undefined
  /**
   * The user's attributes, as the customer's directory describes them (RFC 7643, 4.1). Only this field contains
   * `active`.
   */
  userDetail?: Record<string, unknown> | undefined
}

export interface ApiPage {
  /** The number of records on all pages, as this page reports it. */
  totalSize: number
  nextPageToken: string
}

export interface ListOptions {
  pageSize?: number
  pageToken?: string
  includeDetail?: boolean
  /** RFC 3339 */
  updatedAfter?: string
}

export interface DirectoryApi {
  organization: {
    listOrganization(options: {
      pageSize: number
      pageToken?: string
    }): Promise<{ organizations: readonly ApiOrganization[]; nextPageToken: string }>
  }
  directory: {
    listDirectories(organizationId: string): Promise<{ directories: readonly ApiDirectory[] }>
    listDirectoryUsers(
      organizationId: string,
      directoryId: string,
      options?: ListOptions,
    ): Promise<ApiPage & { users: readonly ApiUser[] }>
    listDirectoryGroups(
      organizationId: string,
      directoryId: string,
      options?: ListOptions,
    ): Promise<ApiPage & { groups: readonly ApiGroup[] }>
  }
}
