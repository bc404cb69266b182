import type { Clock, DirectoryEvent } from '@scalekit-scim/core'
import { Listeners } from '../listeners.ts'
import type { Randomness } from '../randomness.ts'
import { EnvironmentError } from './errors.ts'
import type { Envelope } from './events.ts'
import { Ids, type IdsSnapshot } from './ids.ts'

export type EventListener = (event: DirectoryEvent) => void

export interface ChronicleOptions {
  clock: Clock
  randomness: Randomness
  /** The time that a change bears, in whole microseconds. @default the clock's, and later than every one before */
  stampMicros?: () => number
  /** Where another one was. @default at its beginning */
  from?: ChronicleSnapshot
  isTaken: (id: string) => boolean
}

export interface ChronicleSnapshot {
  id: string
  ids: IdsSnapshot
  /** The newest time that a change bears: later ones are later than it. */
  lastMicros: number
}

/** In which order things happen: gives changes their times and records their ids, and tells of events. */
export class Chronicle {
  readonly environmentId: string
  readonly #options: ChronicleOptions
  readonly #ids: Ids
  readonly #listeners = new Listeners<[DirectoryEvent]>()
  #lastMicros: number
  #isSilent = false

  constructor(options: ChronicleOptions) {
    const { randomness, from } = options
    this.#options = options
    this.#ids = new Ids(randomness, from?.ids)
    this.#lastMicros = from?.lastMicros ?? 0
    this.environmentId = from?.id ?? this.#ids.next('env')
  }

  onEvent(listener: EventListener): () => void {
    return this.#listeners.add(listener)
  }

  silently<Result>(work: () => Result): Result {
    const before = this.#isSilent
    this.#isSilent = true
    try {
      return work()
    } finally {
      this.#isSilent = before
    }
  }

  /** The time of the next change. */
  stamp(): number {
    if (this.#options.stampMicros) return this.#options.stampMicros()
    this.#lastMicros = Math.max(Math.round(this.#options.clock.now() * 1000), this.#lastMicros + 1)
    return this.#lastMicros
  }

  /** One of the caller's choice, or the next. @throws EnvironmentError 'conflict' when it is taken */
  idFor(prefix: string, wanted: string | undefined): string {
    if (wanted === undefined) return this.#ids.next(prefix)
    if (!wanted.startsWith(`${prefix}_`))
      throw new EnvironmentError('invalid', `id must begin with ${prefix}_`)
    if (this.#options.isTaken(wanted)) throw new EnvironmentError('conflict', `${wanted} is taken`)
    return wanted
  }

  /** What nobody is told of takes its id all the same, so that those of a seed stay as they are. */
  tell(occurredAtMicros: number, eventIn: (envelope: Envelope) => DirectoryEvent): void {
    const event = eventIn({
      eventId: this.#ids.next('evt'),
      environmentId: this.environmentId,
      occurredAtMicros,
    })
    if (!this.#isSilent) this.#listeners.tell(event)
  }

  export(): ChronicleSnapshot {
    return { id: this.environmentId, ids: this.#ids.export(), lastMicros: this.#lastMicros }
  }
}
