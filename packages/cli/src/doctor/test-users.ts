import { eventNow, newId } from '../event.ts'
import type { Exchange } from '../exchange.ts'
import { isAccepted } from './check.ts'
import type { Probe } from './probe.ts'

export type Message = ReturnType<TestUsers['message']>

/** Creates messages about users that are clearly test users. Send {@link deletions} after each use. */
export class TestUsers {
  readonly #organizationId: string
  readonly #run = newId('').slice(1, 13)
  readonly #beganAtMs = Date.now() - 60_000
  readonly #sent = new Set<string>()
  /** The users with a message that the endpoint has accepted. */
  readonly accepted = new Set<string>()

  constructor(organizationId: string) {
    this.#organizationId = organizationId
  }

  /** Returns a message about one user. The event occurs `seconds` after the first event of the run. */
  message(change: 'created' | 'updated' | 'deleted', user: string, seconds: number) {
    const userId = `diruser_doctor_${this.#run}_${user}`
    const identity = {
      id: userId,
      organization_id: this.#organizationId,
      dp_id: userId.replace('diruser_', '00u_'),
      email: `${userId}@doctor.invalid`,
    }
    const profile = {
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
      data: change === 'deleted' ? identity : { ...identity, ...profile },
    }
    return { messageId: newId('msg'), event, user, userId }
  }

  async deliver(probe: Probe, { event, messageId, user }: Message): Promise<Exchange> {
    this.#sent.add(user)
    const outcome = await probe.deliver(event, { messageId })
    if (isAccepted(outcome)) this.accepted.add(user)
    return outcome
  }

  /** Returns a deletion for each sent user. An endpoint that refuses an event can still store the user. */
  deletions(): Message[] {
    return [...this.#sent].map((user) => this.message('deleted', user, 55))
  }
}
