import type { HeldDeletions, SyncReport } from '@scalekit-scim/core/sync'
import { noMistakes, type Row } from './accounts.ts'
import { Chance } from './chance.ts'
import type { CustomerDirectory, Member } from './environment.ts'
import { calm } from './settings.ts'
import { Stage, type StagedPass } from './stage.ts'

const dayMs = 86_400_000

/** One customer with one directory, after a first pass. The application has all its users. */
export class Company {
  readonly stage = new Stage(calm, new Chance(1))
  readonly #directory: CustomerDirectory

  private constructor(people: number) {
    const { environment, time } = this.stage
    this.#directory = environment.connect('org_1')
    for (let count = 0; count < people; count++) {
      const member = environment.join(this.#directory, 'user', time.nowMs - 100 * dayMs)
      this.#add({ id: member.id, directoryId: this.#directory.id, own: false })
    }
    environment.publish()
  }

  static async open(people: number): Promise<Company> {
    const company = new Company(people)
    await company.pass()
    return company
  }

  /** People who signed up by email, and whom `known` yields by mistake. */
  signUp(...ids: string[]): void {
    for (const id of ids) this.#add({ id, directoryId: null, own: true })
    const { accounts } = this.stage
    accounts.mistakes = { ...accounts.mistakes, yieldsOwn: true }
  }

  /** Corrects `known`. From now on, it yields only users of the directory. */
  fixKnown(): void {
    this.stage.accounts.mistakes = noMistakes
  }

  /** Removes this number of users without a webhook. */
  leave(count: number): string[] {
    const { environment } = this.stage
    const leavers: Member[] = environment.membersOf(this.#directory).slice(0, count)
    for (const member of leavers) member.present = false
    environment.publish()
    return leavers.map(({ id }) => id)
  }

  async days(count: number): Promise<void> {
    await this.stage.wait(count * dayMs)
  }

  async pass(options: StagedPass = {}): Promise<SyncReport> {
    const report = await this.stage.pass({ mode: 'full', ...options })
    if (!report) throw new Error('the process has crashed')
    return report
  }

  live(): string[] {
    return this.stage.accounts.live().map(({ id }) => id)
  }

  #add({ id, directoryId, own }: Pick<Row, 'id' | 'directoryId' | 'own'>): void {
    const occurredAt = own ? null : '2025-12-01T09:00:00.000000000Z'
    const row: Row = {
      id,
      kind: 'user',
      organizationId: 'org_1',
      directoryId,
      occurredAt,
      deleted: false,
      own,
    }
    this.stage.accounts.rows.set(id, row)
  }
}

/** Returns the held deletions in the report of a single directory. */
export function heldIn({ organizations }: SyncReport): readonly HeldDeletions[] {
  return organizations.flatMap(({ directories }) => directories.flatMap(({ held }) => held))
}
