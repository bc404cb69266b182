import type { ScimEvent } from '@scalekit-scim/core'
import { formatInstant, parseInstant } from '@scalekit-scim/core/internal'
import {
  type CustomerDirectory,
  Environment,
  type Kind,
  type Member,
} from '../../support/deletion-histories/environment.ts'
import type { Message } from '../messages.ts'
import { startMs, type World } from '../world.ts'
import type { ExpectedState } from './comparison.ts'
import type { SyncPlan } from './plan.ts'

export type MemberChange = 'created' | 'updated' | 'deleted'

/** A change of a member, and its webhook. */
export interface Announcement {
  member: Member
  occurredAt: string
  /** The time of the change. */
  atMs: number
  /** Without it, the webhook is lost. */
  message: Message | undefined
  /** The state that the webhook tells. */
  state: ExpectedState
}

interface Scene {
  world: World
  plan: SyncPlan
  send(message: Message): void
}

/** The directories at Scalekit with their true state, and the webhooks of their changes. */
export class Customers {
  readonly environment: Environment
  /** All changes of each member, the oldest first. */
  readonly announcements = new Map<string, Announcement[]>()
  readonly #scene: Scene
  /** When each directory was last disabled. */
  readonly #disabledMs = new Map<CustomerDirectory, number>()
  #serial = 0

  constructor(scene: Scene) {
    this.#scene = scene
    const { world, plan } = scene
    this.environment = new Environment({
      get nowMs() {
        return world.nowMs
      },
    })
    this.environment.api.largestPage = plan.api.pageSize
    this.environment.order = orders[plan.api.order]
  }

  /** Scalekit's clock. Some directories only have whole seconds. */
  get apiMs(): number {
    const { world, plan } = this.#scene
    const ms = Math.floor(startMs + world.nowMs + plan.clockOffsetsMs.sender)
    return plan.api.hasWholeSeconds ? ms - (ms % 1000) : ms
  }

  setEnabled(directory: CustomerDirectory, isEnabled: boolean): void {
    if (!directory.enabled) this.#disabledMs.set(directory, this.#scene.world.nowMs)
    directory.enabled = isEnabled
  }

  wasDisabledSince(directory: CustomerDirectory, sinceMs: number): boolean {
    return !directory.enabled || (this.#disabledMs.get(directory) ?? Number.NEGATIVE_INFINITY) >= sinceMs
  }

  join(directory: CustomerDirectory, kind: Kind): Member {
    const member = this.environment.join(directory, kind)
    member.updatedAtMs = this.apiMs
    if (kind === 'user') Object.assign(member, { title: 'new', groupIds: new Set<string>() })
    return member
  }

  touch(member: Member): void {
    member.updatedAtMs = this.apiMs
  }

  /** Sends the webhook of a change, unless it is lost. */
  announce(member: Member, change: MemberChange, isLost: boolean): void {
    const { world, send } = this.#scene
    const occurredAt = this.#timeText()
    const message = isLost ? undefined : this.#messageOf(member, change, occurredAt)
    const announced = this.announcements.get(member.id) ?? []
    this.announcements.set(member.id, announced)
    const { id, kind, active, title, present, groupIds } = member
    const state = { id, kind, active, title, present, groupIds }
    announced.push({ member, occurredAt, atMs: world.nowMs, message, state })
    world.story.tell(
      () =>
        `${member.id} of ${member.directory.id} is ${change} at ${occurredAt}: ${message?.id ?? 'its webhook is lost'}`,
    )
    if (message) send(message)
  }

  #messageOf(member: Member, change: MemberChange, occurredAt: string): Message {
    const { world, plan } = this.#scene
    const { id: resource, kind } = member
    const { organizationId } = member.directory
    const id = `msg_${++this.#serial}`
    const atMs = world.stream(`webhook ${id}`).spread(1, plan.webhookDelayMs)
    const event: ScimEvent = {
      id: `evt_${id}`,
      type: `organization.directory.${kind}_${change}`,
      occurred_at: occurredAt,
      organization_id: organizationId,
      data: { id: resource, organization_id: organizationId, ...dataOf(member, change) },
    }
    return {
      plan: { id, atMs, resource: 0, change, occurredAt, isDispatched: false, isTame: false },
      id,
      resource,
      kind,
      occurredAt: formatInstant(parseInstant(occurredAt) ?? ''),
      isDeletion: change === 'deleted',
      event,
    }
  }

  #timeText(): string {
    const text = new Date(this.apiMs).toISOString()
    const nanos = this.#scene.plan.api.hasWholeSeconds ? 0 : ++this.#serial % 1_000_000
    return text.replace('Z', `${String(nanos).padStart(6, '0')}Z`)
  }
}

const orders: Record<SyncPlan['api']['order'], Environment['order']> = {
  'oldest first': () => 0,
  'newest first': (one, other) => numberOf(other) - numberOf(one),
  'last changed first': (one, other) => other.updatedAtMs - one.updatedAtMs,
}

function numberOf({ id }: Member): number {
  return Number(id.split('_')[1])
}

function dataOf({ kind, active, title, groupIds = new Set(), directory }: Member, change: MemberChange) {
  if (kind === 'group') return { directory_id: directory.id }
  return change === 'deleted' ? {} : { active, title, groups: [...groupIds].map((id) => ({ id })) }
}
