import type { CustomerDirectory, Member } from '../../support/deletion-histories/environment.ts'
import { Stream, seedOf } from '../stream.ts'
import type { World } from '../world.ts'
import type { SyncApplication } from './application.ts'
import type { Customers, MemberChange } from './customers.ts'
import type { SyncPlan } from './plan.ts'
import type { Change, ChangePlan } from './plan-changes.ts'

interface Scene {
  world: World
  plan: SyncPlan
  customers: Customers
  application: SyncApplication
}

/** The choices of one change. */
interface Choice {
  plan: ChangePlan
  random: Stream
  /** The directories of all organizations that users can join. */
  open: readonly CustomerDirectory[]
  directory: CustomerDirectory | undefined
  /** A user in one of these directories. */
  user: Member | undefined
}

/** Carries out the changes of a plan. */
export class Changes {
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  make(plan: ChangePlan): void {
    const { environment } = this.#scene.customers
    const choice = this.#choose(plan)
    this.#changes[plan.what](choice)
    environment.publish()
  }

  readonly #changes: Record<Change, (choice: Choice) => void> = {
    join: ({ directory, plan }) => this.#join(directory, plan.isLost),
    leave: ({ user, plan }) => this.#leave(user, plan.isLost),
    return: ({ plan, random, open }) => {
      const { environment } = this.#scene.customers
      const gone = [...environment.members.values()].filter(
        ({ kind, present, directory }) => kind === 'user' && !present && open.includes(directory),
      )
      const member = environment.members.get(plan.memberId ?? '') ?? pickFrom(random, gone)
      if (!member || member.present || !open.includes(member.directory)) return
      environment.comeBack(member)
      member.groupIds = new Set()
      this.#announce(member, 'created', plan.isLost)
    },
    rename: (choice) =>
      this.#update(choice, (user) => ({ title: `title ${Math.round(this.#scene.world.nowMs)}${user.id}` })),
    deactivate: (choice) => this.#update(choice, () => ({ active: false })),
    activate: (choice) => this.#update(choice, () => ({ active: true })),
    regroup: (choice) => {
      const { user, random, plan } = choice
      if (!user) return
      const group = pickFrom(random, this.#scene.customers.environment.membersOf(user.directory, 'group'))
      if (!group) return
      this.#putInGroups(user, withOrWithout(group.id, user.groupIds), plan.isLost)
    },
    'group-joins': ({ directory, plan }) => {
      if (!directory) return
      const group = this.#scene.customers.join(directory, 'group')
      this.#announce(group, 'created', plan.isLost)
    },
    'group-leaves': ({ directory, random, plan }) => {
      const { environment } = this.#scene.customers
      if (!directory) return
      const group = pickFrom(random, environment.membersOf(directory, 'group'))
      if (!group) return
      this.#leave(group, plan.isLost)
      for (const user of environment.membersOf(directory, 'user')) {
        if (!user.groupIds?.has(group.id)) continue
        this.#putInGroups(user, withOrWithout(group.id, user.groupIds), plan.isLost)
      }
    },
    move: ({ user, open, random, plan }) => {
      if (!user) return
      const others = open.filter(
        (one) => one !== user.directory && one.organizationId === user.directory.organizationId,
      )
      const directory = others.find(({ id }) => id === plan.directoryId) ?? pickFrom(random, others)
      if (!directory) return
      // For the new directory, the user has just joined.
      Object.assign(user, { directory, groupIds: new Set(), sinceMs: this.#scene.world.nowMs })
      this.#announce(user, 'updated', plan.isLost)
    },
    connect: ({ random, plan }) => {
      const { environment } = this.#scene.customers
      const organizationId = random.pick(environment.organizations)
      const present = environment.everOf(organizationId).filter(({ removed }) => !removed)
      if (present.length > 2) return
      const directory = environment.connect(organizationId)
      this.#scene.world.story.tell(() => `${directory.id} is connected for ${organizationId}`)
      for (let count = random.between(0, 6); count > 0; count--) this.#join(directory, plan.isLost)
    },
    remove: ({ directory }) => {
      const { environment } = this.#scene.customers
      if (!directory) return
      const present = environment.everOf(directory.organizationId).filter(({ removed }) => !removed)
      if (present.length < 2) return
      this.#scene.world.story.tell(() => `${directory.id} is removed`)
      environment.remove(directory)
    },
    disable: ({ directory }) => {
      if (!directory) return
      this.#scene.customers.setEnabled(directory, false)
      this.#scene.world.story.tell(() => `${directory.id} is disabled`)
    },
    enable: () => {
      const { customers } = this.#scene
      for (const directory of customers.environment.directories) customers.setEnabled(directory, true)
    },
    exodus: ({ random, directory, plan }) => {
      if (!directory) return
      const users = this.#scene.customers.environment.membersOf(directory, 'user')
      const count = Math.ceil(users.length * random.real(0.3, 1))
      for (const user of users.slice(0, count)) this.#leave(user, plan.isLost)
    },
    replace: ({ directory, plan }) => {
      if (!directory) return
      for (const user of this.#scene.customers.environment.membersOf(directory, 'user')) {
        this.#leave(user, plan.isLost)
        this.#join(directory, plan.isLost)
      }
    },
    // One user leaves and another joins, so the number of users stays the same.
    succeed: ({ user, plan }) => {
      if (!user) return
      this.#leave(user, plan.isLost)
      this.#join(user.directory, plan.isLost)
    },
    'own-user': ({ random }) => this.#scene.application.signUp(random.below(1000)),
  }

  #choose(plan: ChangePlan): Choice {
    const { environment } = this.#scene.customers
    const random = new Stream(seedOf(this.#scene.plan.seed, 'change', plan.seed))
    const open = environment.open()
    const directory = open.find(({ id }) => id === plan.directoryId) ?? pickFrom(random, open)
    const users = open.flatMap((one) => environment.membersOf(one, 'user'))
    const user = users.find(({ id }) => id === plan.memberId) ?? pickFrom(random, users)
    return {
      plan,
      random,
      open,
      directory,
      user: plan.memberId && user?.id !== plan.memberId ? undefined : user,
    }
  }

  #join(directory: CustomerDirectory | undefined, isLost: boolean): void {
    if (directory) this.#announce(this.#scene.customers.join(directory, 'user'), 'created', isLost)
  }

  #leave(member: Member | undefined, isLost: boolean): void {
    if (!member) return
    member.present = false
    this.#announce(member, 'deleted', isLost)
  }

  #update({ user, plan }: Choice, change: (user: Member) => Partial<Member>): void {
    if (!user) return
    Object.assign(user, change(user))
    this.#announce(user, 'updated', plan.isLost)
  }

  #putInGroups(user: Member, groupIds: Set<string>, isLost: boolean): void {
    user.groupIds = groupIds
    if (this.#scene.plan.api.touchesMembers) this.#scene.customers.touch(user)
    this.#scene.customers.announce(user, 'updated', isLost)
  }

  #announce(member: Member, change: MemberChange, isLost: boolean): void {
    this.#scene.customers.touch(member)
    this.#scene.customers.announce(member, change, isLost)
  }
}

/** Adds an id to a set, or removes it. */
function withOrWithout(id: string, ids: ReadonlySet<string> = new Set()): Set<string> {
  return new Set(ids.has(id) ? [...ids].filter((one) => one !== id) : [...ids, id])
}

function pickFrom<Item>(random: Stream, items: readonly Item[]): Item | undefined {
  return items.length > 0 ? random.pick(items) : undefined
}
