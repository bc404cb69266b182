import { editDistance } from '../base/edit-distance.ts'
import { directoryEventTypes } from './directory-events.ts'

/**
 * The other event types that Scalekit documents. The list is used only to find misspelt types. Other types are also
 * accepted.
 */
const otherEventTypes: readonly string[] = [
  'organization.created',
  'organization.updated',
  'organization.deleted',
  'organization.domain_created',
  'organization.domain_deleted',
  'organization.domain_dns_verification_success',
  'organization.domain_dns_verification_failed',
  'organization.sso_created',
  'organization.sso_enabled',
  'organization.sso_disabled',
  'organization.sso_deleted',
  'user.signup',
  'user.login',
  'user.logout',
  'user.organization_invitation',
  'user.organization_membership_created',
  'user.organization_membership_updated',
  'user.organization_membership_deleted',
  'role.created',
  'role.updated',
  'role.deleted',
  'permission.created',
  'permission.updated',
  'permission.deleted',
  'connected_account.created',
  'connected_account.updated',
  'connected_account.deleted',
  'connected_account.status_updated',
  'connected_account.magic_link_generated',
  'connected_account.oauth_succeeded',
  'connected_account.oauth_tokens_fetched',
  'connected_account.token_refresh_succeeded',
  'connected_account.token_refresh_failed',
]

const documentedTypes = [...directoryEventTypes, ...otherEventTypes]

/**
 * A misspelt type may have only one edit per 12 letters. A looser limit would confuse short names that differ by one or
 * two letters.
 */
const lettersPerEdit = 12

/**
 * Returns the documented type that was probably meant. If the type is documented, or no documented type is similar,
 * returns `undefined`.
 */
export function misspeltEventType(type: string): string | undefined {
  if (documentedTypes.includes(type)) return undefined
  const form = normalized(type)
  const scored = documentedTypes.map((documented) => {
    const documentedForm = normalized(documented)
    return {
      type: documented,
      edits: editDistance(form, documentedForm),
      allowed: Math.floor(documentedForm.length / lettersPerEdit),
    }
  })
  const near = scored.filter(({ edits, allowed }) => edits <= allowed)
  return near.sort((a, b) => a.edits - b.edits)[0]?.type
}

/**
 * Normalizes the parts that people write differently: separators, capitals, plurals, tenses, the old prefix
 * `scalekit.dir`, and a missing `organization`.
 */
function normalized(type: string): string {
  const words = type
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => (word === 'dir' ? 'directory' : word === 'org' ? 'organization' : word))
    .map((word) =>
      word.replace(/(?<=.)s$/, '').replace(/^(creat|updat|delet|enabl|disabl)(e|ed|ing|ion)$/, '$1ed'),
    )
  const joined = words.join('').replace(/^scalekit/, '')
  return joined.startsWith('directory') ? `organization${joined}` : joined
}
