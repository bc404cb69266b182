import type { Logger } from '../base/logger.ts'
import type { ScimEvent } from '../events/events.ts'
import { unexpectedFields } from '../events/unexpected-fields.ts'
import { syncMarginSeconds } from '../ledger/decisions.ts'

const maxFields = 1000

/** Warnings that a receiver logs only once, for many attempts. */
export class AttemptWarnings {
  #warnedOfClock = false
  readonly #fields = new Set<string>()

  /**
   * Warns about different clocks. If a clock is minutes ahead, the sync can replace newer data from webhooks. Only this
   * warning shows the problem.
   */
  clock(ageSeconds: number, log: Logger): void {
    if (this.#warnedOfClock || Math.abs(ageSeconds) <= syncMarginSeconds / 2) return
    this.#warnedOfClock = true
    log.warn(
      { ageSeconds },
      `an attempt's timestamp differs by more than ${syncMarginSeconds / 2} s from this process's clock. Either the attempt was ` +
        'delayed, or the clocks differ. Synchronize the clocks (NTP). If the clocks differ, a directory sync can miss changes. If the ' +
        'difference exceeds `toleranceSeconds`, every attempt is refused',
    )
  }

  /** Warns once for each field, because a directory sends the same field with every user. */
  unexpectedFields(event: ScimEvent, log: Logger): void {
    for (const field of unexpectedFields(event)) {
      const { type } = event
      const key = `${type} ${field.replace(/\d+/g, '*')}`
      if (this.#fields.has(key) || this.#fields.size >= maxFields) continue
      this.#fields.add(key)
      log.warn(
        { type, field },
        'a field does not have the documented type. The handler receives it unchanged',
      )
    }
  }
}
