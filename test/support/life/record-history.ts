import type { Deliveries, Environment } from '@scalekit-scim/simulator'

interface Line {
  atMs: number
  /** The id of the record. Absent if the entry is about all records. */
  id?: string
  text: string
}

/** The log of a run, for debugging a wrong result. */
export class RecordHistory {
  readonly #nowMs: () => number
  readonly #lines: Line[] = []

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  watch(environment: Environment): void {
    environment.onEvent(({ type, data, occurred_at }) => {
      const active = 'active' in data ? ` active: ${data.active}` : ''
      const groups =
        'groups' in data && data.groups ? ` groups: ${data.groups.map(({ id }) => id).join(' ')}` : ''
      this.#add(`${type} as of ${occurred_at}${active}${groups}`, data.id)
    })
  }

  note(text: string): void {
    this.#add(text)
  }

  /** Returns the history of one record: its changes, its webhooks, and the application's failures during that time. */
  of(id: string, deliveries: Deliveries): string {
    const attempts = deliveries.messages
      .filter(({ event }) => event.data.id === id)
      .flatMap((message) => message.deliveries.map((delivery) => ({ message, delivery })))
      .flatMap(({ message, delivery }): Line[] => [
        {
          atMs: message.createdAtMs,
          text: `${message.id} of ${message.event.occurred_at}: ${delivery.state}`,
        },
        ...delivery.attempts.map(({ startedAtMs, response, error }) => {
          const outcome = response?.headers['scalekit-scim-outcome'] ?? ''
          return { atMs: startedAtMs, text: `${message.id}: ${response?.status ?? error} ${outcome}` }
        }),
      ])
    return [...this.#lines.filter((line) => line.id === undefined || line.id === id), ...attempts]
      .toSorted((a, b) => a.atMs - b.atMs)
      .map(({ atMs, text }) => `  ${new Date(atMs).toISOString()}  ${text}`)
      .join('\n')
  }

  #add(text: string, id?: string): void {
    this.#lines.push({ atMs: this.#nowMs(), text, ...(id === undefined ? {} : { id }) })
  }
}
