import type { SyncReport } from '@scalekit-scim/core/sync'
import type { Accounts } from '../../support/deletion-histories/accounts.ts'
import type { Findings } from '../findings.ts'
import type { World } from '../world.ts'
import { differenceBetween } from './comparison.ts'
import type { Customers } from './customers.ts'
import type { SyncCause } from './documented-causes.ts'
import type { SyncPlan } from './plan.ts'

interface Scene {
  world: World
  plan: SyncPlan
  customers: Customers
  accounts: Accounts
  findings: Findings<SyncCause>
}

/** After two full passes, each row has the state of the directory, or the report has it as held. */
export function requireConvergence(
  { world, plan, customers, accounts, findings }: Scene,
  last: SyncReport,
): void {
  const { environment } = customers
  const held = new Set(
    last.organizations.flatMap(({ directories }) =>
      directories.flatMap((directory) => directory.held.flatMap(({ ids }) => ids)),
    ),
  )
  const { yieldsGroups, users, groups } = plan.known
  // Without groups in `known`, only a newer time shows that memberships have changed.
  const comparesGroups = yieldsGroups || plan.api.touchesMembers || !users
  for (const member of environment.members.values()) {
    const expected = { ...member, groupIds: comparesGroups ? member.groupIds : undefined }
    const difference = differenceBetween(expected, accounts.rows.get(member.id))
    if (difference === undefined || held.has(member.id)) continue
    const isCompared = users && (member.kind === 'user' || groups)
    const cause = !member.present && !isCompared ? 'no known' : undefined
    findings.explain('two full passes converge', cause, world.nowMs, () => `${member.id} ${difference}`)
  }
  for (const { id, own, deleted } of accounts.rows.values()) {
    if (own && deleted) findings.violate('two full passes converge', world.nowMs, `${id} is deleted`)
  }
}
