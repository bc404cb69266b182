import type { CustomerDirectory, Member } from '../../support/deletion-histories/environment.ts'
import type { World } from '../world.ts'
import type { Customers } from './customers.ts'

interface Lie {
  toMs: number
  covers(member: Member): boolean
  isFilter: boolean
}

/** The wrong answers of the API: users that a wrong filter hides, and directories that the list leaves out. */
export class Lies {
  readonly #world: World
  readonly #customers: Customers
  readonly #told: Lie[] = []

  constructor(world: World, customers: Customers) {
    this.#world = world
    this.#customers = customers
  }

  /** A wrong filter hides a share of the users. */
  hide(share: number): void {
    const { environment } = this.#customers
    environment.hide(share, this.#world.stream('hidden'))
    const hidden = new Set([...environment.members.values()].filter((member) => member.hidden))
    this.#tell(true, (member) => hidden.has(member))
    const ids = [...hidden].map(({ id }) => id)
    this.#world.story.tell(() => `a wrong filter hides ${ids.join(' ')}`)
  }

  /** Pages leave out a share of the users, although the API announces all of them. */
  omit(share: number): void {
    const { api, members } = this.#customers.environment
    const random = this.#world.stream('omitted')
    const omitted = new Set([...members.keys()].filter(() => random.happens(share)))
    api.bend = (page) => ({ ...page, items: page.items.filter(({ id }) => !omitted.has(id)) })
    this.#world.story.tell(() => `pages leave out ${[...omitted].join(' ')}`)
  }

  leaveOut(directory: CustomerDirectory): void {
    directory.leftOut = true
    this.#tell(false, (member) => member.directory === directory)
    this.#world.story.tell(() => `the list of directories leaves out ${directory.id}`)
  }

  end(): void {
    for (const lie of this.#told) lie.toMs = Math.min(lie.toMs, this.#world.nowMs)
    const { environment } = this.#customers
    environment.api.bend = (page) => page
    environment.tellTheTruth()
    this.#world.story.tell(() => 'the API tells the truth again')
  }

  wereToldAbout(member: Member, sinceMs: number): boolean {
    return this.#told.some((lie) => lie.toMs >= sinceMs && lie.covers(member))
  }

  /** Whether a wrong filter has hidden the member since then. */
  hid(member: Member, sinceMs: number): boolean {
    return this.#told.some((lie) => lie.isFilter && lie.toMs >= sinceMs && lie.covers(member))
  }

  #tell(isFilter: boolean, covers: Lie['covers']): void {
    this.#told.push({ toMs: Number.POSITIVE_INFINITY, covers, isFilter })
    this.#customers.environment.publish()
  }
}
