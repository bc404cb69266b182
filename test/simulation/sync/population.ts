import type { Accounts } from '../../support/deletion-histories/accounts.ts'
import type { Member } from '../../support/deletion-histories/environment.ts'
import type { World } from '../world.ts'
import { startMs } from '../world.ts'
import { instantOf, type SyncApplication } from './application.ts'
import type { Customers } from './customers.ts'
import type { SyncPlan } from './plan.ts'

interface Scene {
  world: World
  plan: SyncPlan
  customers: Customers
  accounts: Accounts
  application: SyncApplication
}

const dayMs = 86_400_000

/** The directories and the rows of the application at the beginning of a history. */
export function populate({ world, plan, customers, accounts, application }: Scene): void {
  const { environment } = customers
  const random = world.stream('population')
  for (let count = 0; count < plan.directories; count++) environment.connect('org_1')
  if (plan.organizations > 1) environment.connect('org_2')
  const join = (kind: 'user' | 'group') => {
    const member = customers.join(random.pick(environment.directories), kind)
    return Object.assign(member, { sinceMs: -30 * dayMs, updatedAtMs: startMs - 30 * dayMs })
  }
  const groups = Array.from({ length: plan.groups }, () => join('group'))
  const users = Array.from({ length: plan.people }, () => join('user'))
  for (const user of users) {
    const own = groups.filter(({ directory }) => directory === user.directory && random.happens(0.3))
    user.groupIds = new Set(own.map(({ id }) => id))
  }
  for (const member of [...groups, ...users]) if (random.happens(plan.rows.exist)) addRow(member)
  for (let number = 0; number < plan.known.ownUsers; number++) application.signUp(1000 + number)
  environment.publish()

  function addRow({ id, kind, directory, active, title, groupIds = new Set() }: Member): void {
    accounts.rows.set(id, {
      id,
      kind,
      organizationId: directory.organizationId,
      directoryId: random.happens(plan.rows.knowDirectory) ? directory.id : null,
      occurredAt: random.happens(plan.rows.knowTime) ? instantOf(startMs - 29 * dayMs) : null,
      deleted: false,
      own: false,
      state: { active, title, groupIds: [...groupIds] },
    })
  }
}
