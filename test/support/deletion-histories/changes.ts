import { sampleEvent } from '@scalekit-scim/core/testing'
import type { Chance } from './chance.ts'
import type { CustomerDirectory, Environment, Kind, Member } from './environment.ts'
import type { HistorySettings } from './settings.ts'
import type { Story } from './story.ts'
import type { Webhooks } from './webhooks.ts'

interface Changed {
  environment: Environment
  webhooks: Webhooks
  story: Story
  chance: Chance
  settings: HistorySettings
  nowMs: () => number
}

/** Changes at the customers: users and groups, and directories. */
export class Changes {
  readonly #changed: Changed

  constructor(changed: Changed) {
    this.#changed = changed
  }

  /** Makes one change, which may happen at any time, even while a directory is read. */
  one(): void {
    const { chance, environment } = this.#changed
    const directories = environment.open()
    if (directories.length === 0) return
    const directory = chance.pick(directories)
    const what = chance.pick(['join', 'leave', 'leave', 'leave', 'return', 'deactivate'] as const)
    if (what === 'join') this.#join(directory)
    else if (what === 'return') this.#return(directory)
    else this.#touch(directory, what)
    environment.publish()
  }

  /** Removes many users at the same time. */
  exodus(): void {
    const { chance, environment } = this.#changed
    const directories = environment.open()
    if (directories.length === 0) return
    const members = environment.membersOf(chance.pick(directories), 'user')
    const share = chance.pick([0.1, 0.3, 0.6, 1])
    for (const member of chance.sample(members, Math.ceil(members.length * share))) this.#leave(member)
    environment.publish()
  }

  /** Connects, removes, disables or enables a directory. */
  structure(): void {
    const { chance, environment, story } = this.#changed
    const organizationId = chance.pick(environment.organizations)
    const directories = environment.directories.filter(
      (one) => one.organizationId === organizationId && !one.removed,
    )
    const directory = directories.length > 0 ? chance.pick(directories) : undefined
    const what = chance.pick(['connect', 'remove', 'remove', 'disable'] as const)
    if (what === 'connect' || !directory) {
      if (directories.length < 2) this.#connect(organizationId)
    } else if (what === 'remove') this.#remove(directory)
    else {
      directory.enabled = !directory.enabled
      story.tell(`${directory.id} is ${directory.enabled ? 'enabled' : 'disabled'}`)
    }
    environment.publish()
  }

  #connect(organizationId: string): void {
    const { chance, environment, story } = this.#changed
    const directory = environment.connect(organizationId)
    story.tell(`${directory.id} is connected for ${organizationId}`)
    for (let count = chance.between(0, 6); count > 0; count--) this.#join(directory)
  }

  #remove(directory: CustomerDirectory): void {
    const { chance, environment, story } = this.#changed
    const members = environment.membersOf(directory)
    environment.remove(directory)
    story.tell(`${directory.id} is removed, with ${members.length} members`)
    const [other] = environment.open().filter((one) => one.organizationId === directory.organizationId)
    if (!other || chance.happens(0.5)) return
    for (const member of chance.sample(members, chance.between(1, 4))) {
      environment.comeBack(member, other)
      story.tell(`${member.id} is taken over by ${other.id}`)
    }
  }

  #join(directory: CustomerDirectory): void {
    const { chance, environment, settings } = this.#changed
    const kind: Kind = settings.hasGroups && chance.happens(0.2) ? 'group' : 'user'
    this.#announce(environment.join(directory, kind), 'created', `joins ${directory.id}`)
  }

  #return(directory: CustomerDirectory): void {
    const { chance, environment } = this.#changed
    const gone = [...environment.members.values()].filter(
      (member) => !member.present && member.directory === directory,
    )
    if (gone.length === 0) return
    const member = chance.pick(gone)
    environment.comeBack(member)
    this.#announce(member, 'created', `is back in ${directory.id}`)
  }

  #touch(directory: CustomerDirectory, what: 'leave' | 'deactivate'): void {
    const { chance, environment, nowMs } = this.#changed
    const members = environment.membersOf(directory)
    if (members.length === 0) return
    const member = chance.pick(members)
    if (what === 'leave') {
      this.#leave(member)
      return
    }
    member.active = false
    member.updatedAtMs = nowMs()
    this.#announce(member, 'updated', 'is deactivated')
  }

  #leave(member: Member): void {
    member.present = false
    this.#announce(member, 'deleted', `leaves ${member.directory.id}`)
  }

  /** Sends a webhook immediately or late, or loses it. */
  #announce(member: Member, change: 'created' | 'updated' | 'deleted', words: string): void {
    const { chance, settings, story, webhooks, nowMs } = this.#changed
    const isLost = chance.happens(settings.lostWebhooks)
    const delayMs = chance.happens(settings.lateWebhooks) ? chance.spread(60_000, 20 * 86_400_000) : 0
    const fate = isLost ? 'its webhook is lost' : delayMs > 0 ? 'its webhook is late' : 'a webhook tells it'
    story.tell(`${member.id} ${words}: ${fate}`)
    if (!isLost) webhooks.add(eventOf(member, change, nowMs()), nowMs() + delayMs)
  }
}

function eventOf(
  { id, kind, active, directory }: Member,
  change: 'created' | 'updated' | 'deleted',
  ms: number,
) {
  const { organizationId: organization_id } = directory
  const patch = { occurred_at: new Date(ms).toISOString(), organization_id }
  if (kind === 'group') {
    const data = { id, organization_id, directory_id: directory.id }
    return sampleEvent(`organization.directory.group_${change}`, { ...patch, data })
  }
  if (change === 'deleted') {
    return sampleEvent('organization.directory.user_deleted', { ...patch, data: { id, organization_id } })
  }
  const data = { id, organization_id, active, groups: [] }
  return sampleEvent(`organization.directory.user_${change}`, { ...patch, data })
}
