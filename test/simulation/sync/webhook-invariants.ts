import type { Accounts } from '../../support/deletion-histories/accounts.ts'
import type { Findings } from '../findings.ts'
import type { HistoryRecord } from '../record.ts'
import type { Server } from '../stores/server.ts'
import type { World } from '../world.ts'
import type { SyncApplication } from './application.ts'
import { differenceBetween } from './comparison.ts'
import type { Announcement, Customers } from './customers.ts'
import type { DeletionJudge } from './deletion-judge.ts'
import type { SyncCause } from './documented-causes.ts'

interface Scene {
  world: World
  customers: Customers
  accounts: Accounts
  application: SyncApplication
  judge: DeletionJudge
  findings: Findings<SyncCause>
  record: HistoryRecord
  server: Server
}

/** Whether the sync left alone what newer webhooks wrote. */
export class WebhookInvariants {
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** The newest webhook of a member is only answered stale if the row already has its state. */
  stale(messageId: string): void {
    const announced = [...this.#scene.customers.announcements.values()].map((all) => all.at(-1))
    const last = announced.find((one) => one?.message?.id === messageId)
    if (last) this.#require('a newer webhook is never answered stale', last)
  }

  /** When all webhooks have been answered, the rows still have the state of the newest webhook. */
  undone(): void {
    const { customers, record } = this.#scene
    const accepted = new Set(
      record.attempts
        .filter(({ status }) => status === 200 || status === 201)
        .map(({ message }) => message.id),
    )
    for (const announced of customers.announcements.values()) {
      const last = announced.at(-1)
      if (last?.message && accepted.has(last.message.id))
        this.#require('a newer webhook is never undone', last)
    }
  }

  #require(invariant: string, last: Announcement): void {
    const { world, accounts, findings } = this.#scene
    const { member, state, message, occurredAt } = last
    // The end of a removed directory is newer than the webhooks of its members.
    if (member.present !== state.present) return
    const difference = differenceBetween(state, accounts.rows.get(member.id))
    if (difference === undefined) return
    findings.explain(invariant, this.#causeOf(last), world.nowMs, () => {
      const write = this.#scene.application.writes.get(member.id)
      return `${member.id} ${difference}; last ${message?.id} of ${occurredAt}; the row is by ${write?.source} at ${Math.round(write?.atMs ?? 0)} ms`
    })
  }

  #causeOf({ member, occurredAt, atMs }: Announcement): SyncCause | undefined {
    const { customers, application, accounts, judge, server } = this.#scene
    const write = application.writes.get(member.id)
    const explained = judge.explained.get(member.id)
    if (explained && explained.atMs === write?.atMs) return explained.cause
    const before = customers.announcements.get(member.id)?.at(-2)
    if (before?.occurredAt === occurredAt) return 'equal times'
    const isLost = server.losses.some((loss) => loss.atMs >= atMs && loss.atMs <= (write?.atMs ?? 0))
    return isLost && !accounts.isGuarded ? 'store loss' : undefined
  }
}
