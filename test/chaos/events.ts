import { sampleEvent } from '@scalekit-scim/core/testing'
import type { Message } from './sender.ts'

/** The new state of a user: a number that rises with the time, or deleted. */
export interface UserChange {
  userId: string
  state: string
  occurredAt: string
  deleted?: boolean
}

export interface UserMessage extends Message, UserChange {}

export function userMessage(messageId: string, change: UserChange): UserMessage {
  const { userId: id, state, occurredAt: occurred_at, deleted = false } = change
  const event = deleted
    ? sampleEvent('organization.directory.user_deleted', { occurred_at, data: { id } })
    : sampleEvent('organization.directory.user_updated', { occurred_at, data: { id, title: state } })
  return { messageId, event, ...change }
}

/** Returns a time on a day in the past, with nanoseconds, in the form of `ctx.occurredAt`. */
export function moment(seconds: number, nanoseconds = 0): string {
  const whole = new Date(Date.UTC(2026, 0, 5) + seconds * 1000).toISOString().slice(0, 19)
  return `${whole}.${String(nanoseconds).padStart(9, '0')}Z`
}
