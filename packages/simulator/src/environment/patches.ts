import { omitUndefined } from '@scalekit-scim/core/internal'
import type { UserAttributes } from './records.ts'
import type { UserPatch } from './requests.ts'

/**
 * RFC 7643, 3.1: the client owns this id. If the change is `undefined`, the id stays. If the change is `null`, the id
 * is removed.
 */
export function externalIdAfter(
  before: { readonly externalId?: string },
  change: string | null | undefined,
): { externalId?: string } {
  return omitUndefined({ externalId: change === undefined ? before.externalId : (change ?? undefined) })
}

export function patchedAttributes(
  before: Readonly<UserAttributes>,
  patch: NonNullable<UserPatch['attributes']>,
): UserAttributes {
  const { userName = before.userName, ...others } = patch
  const entries = Object.entries({ ...before, ...others }).filter(([, value]) => value != null)
  return { ...Object.fromEntries(entries), userName: userName ?? before.userName }
}
