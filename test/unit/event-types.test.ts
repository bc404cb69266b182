import { createDispatcher, type Handlers } from '@scalekit-scim/core'
import { expect, test } from 'vitest'

/** The types of Scalekit's OpenAPI document (`webhooks`), without the eight directory events. */
const documented = `
connected_account.created connected_account.deleted connected_account.magic_link_generated
connected_account.oauth_succeeded connected_account.oauth_tokens_fetched connected_account.status_updated
connected_account.token_refresh_failed connected_account.token_refresh_succeeded connected_account.updated
organization.created organization.deleted organization.domain_created organization.domain_deleted
organization.domain_dns_verification_failed organization.domain_dns_verification_success organization.sso_created
organization.sso_deleted organization.sso_disabled organization.sso_enabled organization.updated
permission.created permission.deleted permission.updated role.created role.deleted role.updated
user.login user.logout user.organization_invitation user.organization_membership_created
user.organization_membership_deleted user.organization_membership_updated user.signup
`
  .trim()
  .split(/\s+/)

/** Types that Scalekit may send in the future, or that an application dispatches. */
const possible = [
  'user.created',
  'user.deleted',
  'user.signin',
  'user.logged_in',
  'session.created',
  'organization.directory_created',
  'organization.directory_deleted',
  'organization.directory.user_suspended',
  'organization.directory.role_created',
  'organization.directory.group_member_added',
  'organization.user_created',
  'organization.domain_updated',
  'organization.scim_enabled',
  'organization.membership_created',
  'rule.created',
  'billing.user_created',
  'acme.directory.imported',
]

function dispatcherWith(type: string) {
  const on: Handlers['on'] = { [type]: () => {} }
  return createDispatcher({ logger: false, on })
}

test('the list has all 33 other types of Scalekit', () => {
  expect(new Set(documented).size).toBe(33)
})

test.each([...documented, ...possible])('on accepts %s', (type) => {
  expect(() => dispatcherWith(type)).not.toThrow()
})

const misspelt: [string, string][] = [
  ['organization.directory.user_create', 'onUserCreated` or `onUserUpserted'],
  ['organization.directory.user.created', 'onUserCreated'],
  ['organization.directory.users_created', 'onUserCreated'],
  ['organization.directory.user-created', 'onUserCreated'],
  ['organization.directory.userCreated', 'onUserCreated'],
  ['organization.directory.user_crated', 'onUserCreated'],
  ['organization.directory.user_cretaed', 'onUserCreated'],
  ['Organization.Directory.User_Created', 'onUserCreated'],
  ['organisation.directory.user_created', 'onUserCreated'],
  ['organization.directory.user_created ', 'onUserCreated'],
  ['directory.user_created', 'onUserCreated'],
  ['directory.user.updated', 'onUserUpdated'],
  ['org.directory.user_updated', 'onUserUpdated'],
  ['organization.directory.user_updates', 'onUserUpdated'],
  ['organization.directory.user_delete', 'onUserDeleted'],
  ['organization.directory.user_deletion', 'onUserDeleted'],
  ['scalekit.dir.user.create', 'onUserCreated'],
  ['scalekit.dir.user.created', 'onUserCreated'],
  ['scalekit.dir.user.update', 'onUserUpdated'],
  ['scalekit.dir.user.delete', 'onUserDeleted'],
  ['scalekit.dir.group.deleted', 'onGroupDeleted'],
  ['organization.directory.groups.update', 'onGroupUpdated'],
  ['organization.directory.enabled', 'onDirectoryEnabled'],
  ['organization.directory_disable', 'onDirectoryDisabled'],
]
test.each(misspelt)('on refuses %s, and names %s', (type, handler) => {
  expect(() => dispatcherWith(type)).toThrow(
    expect.objectContaining({
      code: 'ERR_SCIM_INVALID_HANDLER',
      option: 'on',
      message: expect.stringContaining(`\`${handler}`),
    }),
  )
})

test.each([
  ['organization.create', 'organization.created'],
  ['organizations.created', 'organization.created'],
  ['organization.sso.enabled', 'organization.sso_enabled'],
  ['user.organization.membership_created', 'user.organization_membership_created'],
  ['user.log_in', 'user.login'],
  ['role.update', 'role.updated'],
])('on refuses %s, and suggests %s', (type, meant) => {
  expect(() => dispatcherWith(type)).toThrow(`Did you mean '${meant}'?`)
})
