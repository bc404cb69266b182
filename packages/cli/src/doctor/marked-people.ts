import type { Exchange } from '../exchange.ts'
import type { JsonObject } from '../files.ts'
import { eventNow, newId } from '../sample.ts'
import { isTaken } from './finding.ts'
import type { Probe } from './probe.ts'

export interface Message {
  messageId: string
  event: JsonObject
  userId: string
}

type Change = 'created' | 'updated' | 'deleted'

/** Users that nobody can take for real ones. Whoever has sent of them deletes them again. */
export class MarkedPeople {
  readonly #organizationId: string
  readonly #run = newId('').slice(1, 13)
  readonly #beganAtMs = Date.now() - 60_000
  readonly #sent = new Set<string>()
  readonly #made = new Set<string>()

  constructor(organizationId: string) {
    this.#organizationId = organizationId
  }

  /** A message about one of them, whose event happened so many seconds after the first of all. */
  message(change: Change, person: string, seconds: number): Message {
    return this.#messageOf(change, `diruser_doctor_${this.#run}_${person}`, seconds)
  }

  async deliver(probe: Probe, { event, messageId, userId }: Message): Promise<Exchange> {
    this.#sent.add(userId)
    const outcome = await probe.deliver(event, { messageId })
    if (isTaken(outcome)) this.#made.add(userId)
    return outcome
  }

  /** Of all that were sent: what was not accepted may have been written all the same. */
  deletions(): Message[] {
    return [...this.#sent].map((userId) => this.#messageOf('deleted', userId, 55))
  }

  isMade(userId: string): boolean {
    return this.#made.has(userId)
  }

  #messageOf(change: Change, userId: string, seconds: number): Message {
    const identity = {
      id: userId,
      organization_id: this.#organizationId,
      dp_id: userId.replace('diruser_', '00u_'),
      email: `${userId}@doctor.invalid`,
    }
    const person = {
      active: true,
      name: 'Scalekit SCIM Doctor (to be deleted)',
      given_name: 'Scalekit SCIM',
      family_name: 'Doctor (to be deleted)',
      preferred_username: identity.email,
      title: `as of ${seconds} s`,
      groups: [],
      roles: [],
      custom_attributes: {},
      raw_attributes: {},
    }
    const event = {
      ...eventNow(`user_${change}`),
      occurred_at: new Date(this.#beganAtMs + seconds * 1000).toISOString(),
      organization_id: this.#organizationId,
      data: change === 'deleted' ? identity : { ...identity, ...person },
    }
    return { messageId: newId('msg'), event, userId }
  }
}
