import type { SyncReport } from '@scalekit-scim/core/sync'
import type { Chance } from './chance.ts'
import type { Story } from './story.ts'

interface Decision {
  approval: string
  dueMs: number
}

/** The person who reads the reports, and approves held deletions soon, late, or never. */
export class Operator {
  readonly #chance: Chance
  readonly #story: Story
  readonly #approves: number
  readonly #seen = new Set<string>()
  #decisions: Decision[] = []

  constructor(chance: Chance, story: Story, approves: number) {
    this.#chance = chance
    this.#story = story
    this.#approves = approves
  }

  read(report: SyncReport, nowMs: number): void {
    for (const approval of approvalsIn(report)) {
      if (this.#seen.has(approval)) continue
      this.#seen.add(approval)
      if (!this.#chance.happens(this.#approves)) continue
      const delayMs = this.#chance.happens(0.6) ? 0 : this.#chance.spread(3_600_000, 30 * 86_400_000)
      this.#decisions.push({ approval, dueMs: nowMs + delayMs })
    }
  }

  /** Returns the approvals for a pass that begins now. */
  approve(nowMs: number): string[] {
    const due = this.#decisions.filter(({ dueMs }) => dueMs <= nowMs).map(({ approval }) => approval)
    this.#decisions = this.#decisions.filter(({ dueMs }) => dueMs > nowMs)
    if (due.length > 0) {
      const names = due.map((approval) => this.#story.nameOf(approval))
      this.#story.tell(`the operator approves ${names.join(', ')}`)
    }
    return due
  }
}

/** Returns all approvals of a report. */
export function approvalsIn({ organizations }: SyncReport): string[] {
  const held = organizations.flatMap(({ directories }) => directories.flatMap((directory) => directory.held))
  return held.flatMap(({ approval }) => (approval === undefined ? [] : [approval]))
}
