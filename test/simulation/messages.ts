import type { ScimEvent } from '@scalekit-scim/core'
import { formatInstant, parseInstant } from '@scalekit-scim/core/internal'
import type { Plan } from './plan.ts'
import type { MessagePlan, ResourceKind } from './plan-messages.ts'

/** A message of a history, with its event. */
export interface Message {
  plan: MessagePlan
  id: string
  /** `undefined` if the event belongs to no resource. */
  resource: string | undefined
  kind: ResourceKind
  /** UTC with nine decimals, so that two texts can be compared. */
  occurredAt: string
  isDeletion: boolean
  event: ScimEvent
}

const organizationId = 'org_1'

export function messagesOf({ messages, resources }: Pick<Plan, 'messages' | 'resources'>): Message[] {
  return messages.map((plan) => {
    const { id, change, occurredAt, resource: index } = plan
    const kind = resources[index] ?? 'user'
    const resource = `${kind}_${index}`
    const isActive = change === 'deactivated' ? { active: false } : {}
    const event: ScimEvent = {
      id: `evt_${id}`,
      type: typeOf(plan, kind),
      occurred_at: occurredAt,
      organization_id: organizationId,
      data: { id: resource, organization_id: organizationId, ...isActive },
    }
    return {
      plan,
      id,
      resource: change === 'other' ? undefined : resource,
      kind,
      occurredAt: formatInstant(parseInstant(occurredAt) ?? ''),
      isDeletion: change === 'deleted',
      event,
    }
  })
}

/** Whether an event is older than another event of its resource. A deletion comes after an update of the same time. */
export function isOlder(one: Message, other: Message): boolean {
  if (one.occurredAt !== other.occurredAt) return one.occurredAt < other.occurredAt
  return other.isDeletion && !one.isDeletion
}

/** Whether the handlers of two messages must not run at the same time. */
export function isSameTurn(one: Message, other: Message): boolean {
  return one === other || (one.resource !== undefined && one.resource === other.resource)
}

export function resourceOf({ kind, resource = '' }: Message) {
  return { kind, organizationId, id: resource }
}

function typeOf({ change }: MessagePlan, kind: ResourceKind): string {
  if (change === 'other') return 'organization.updated'
  if (kind === 'directory') {
    return change === 'created' ? 'organization.directory_enabled' : 'organization.directory_disabled'
  }
  return `organization.directory.${kind}_${change === 'deactivated' ? 'updated' : change}`
}
