import { create, type JsonObject, type MessageInitShape } from '@bufbuild/protobuf'
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt'
import { omitUndefined } from '@scalekit-scim/core/internal'
import { RegionCode } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/commons/commons_pb.js'
import {
  type DirectoryGroupSchema,
  DirectoryProvider,
  type DirectorySchema,
  DirectoryType,
  type DirectoryUserSchema,
  SecretStatus,
} from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/directories/directories_pb.js'
import type { OrganizationSchema } from '@scalekit-sdk/node/lib/pkg/grpc/scalekit/v1/organizations/organizations_pb.js'
import type { DirectoryContents } from '../environment/directory-contents.ts'
import { rawAttributes, rawGroupAttributes } from '../environment/raw-attributes.ts'
import {
  type Directory,
  type Group,
  type Organization,
  type Provider,
  providers,
  type User,
} from '../environment/records.ts'

export function timestamp(micros: number): Timestamp {
  const seconds = Math.floor(micros / 1_000_000)
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos: (micros - seconds * 1_000_000) * 1000 })
}

export function microsOf({ seconds, nanos }: Timestamp): number {
  return Number(seconds) * 1_000_000 + Math.floor(nanos / 1000)
}

export function providerOf(provider: DirectoryProvider): Provider {
  return providers.find((name) => DirectoryProvider[name] === provider) ?? 'OKTA'
}

export function organizationMessage(organization: Organization): MessageInitShape<typeof OrganizationSchema> {
  return {
    id: organization.id,
    displayName: organization.displayName,
    ...omitUndefined({ externalId: organization.externalId }),
    regionCode: RegionCode.US,
    createTime: timestamp(organization.createdAtMicros),
    updateTime: timestamp(organization.updatedAtMicros),
  }
}

export function directoryMessage(
  directory: Directory,
  { users, groups }: DirectoryContents,
  url: string,
): MessageInitShape<typeof DirectorySchema> {
  return {
    id: directory.id,
    name: directory.name,
    organizationId: directory.organizationId,
    enabled: directory.enabled,
    directoryType: DirectoryType.SCIM,
    directoryProvider: DirectoryProvider[directory.provider],
    directoryEndpoint: `${url}/scim/v2/${directory.id}`,
    status: 'IN_PROGRESS',
    totalUsers: users.length,
    totalGroups: groups.length,
    stats: {
      totalUsers: users.length,
      totalGroups: groups.length,
      ...omitUndefined({ userUpdatedAt: newestUpdate(users), groupUpdatedAt: newestUpdate(groups) }),
    },
    secrets: [
      {
        id: directory.id.replace('dir_', 'dirs_'),
        directoryId: directory.id,
        secretSuffix: directory.scimToken.slice(-4),
        status: SecretStatus.ACTIVE,
        createTime: timestamp(directory.createdAtMicros),
      },
    ],
  }
}

export function userMessage(
  user: User,
  groups: readonly Group[],
  includeDetail = false,
): MessageInitShape<typeof DirectoryUserSchema> {
  const { userName, email, givenName, familyName } = user.attributes
  return {
    id: user.id,
    email: email ?? '',
    preferredUsername: userName,
    givenName: givenName ?? '',
    familyName: familyName ?? '',
    emails: email === undefined ? [] : [email],
    groups: groups.map(({ id, displayName }) => ({ id, displayName })),
    updatedAt: timestamp(user.updatedAtMicros),
    // `rawAttributes` contains strings and booleans of the simulator, and JSON from a SCIM client.
    ...(includeDetail ? { userDetail: rawAttributes(user) as JsonObject } : {}),
  }
}

export function groupMessage(
  group: Group,
  memberCount: number,
  includeDetail = false,
): MessageInitShape<typeof DirectoryGroupSchema> {
  return {
    id: group.id,
    displayName: group.displayName,
    totalUsers: memberCount,
    updatedAt: timestamp(group.updatedAtMicros),
    ...(includeDetail ? { groupDetail: rawGroupAttributes(group) } : {}),
  }
}

function newestUpdate(records: readonly { readonly updatedAtMicros: number }[]): Timestamp | undefined {
  if (records.length === 0) return undefined
  return timestamp(records.reduce((newest, { updatedAtMicros }) => Math.max(newest, updatedAtMicros), 0))
}
