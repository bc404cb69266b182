import type { DirectoryApi } from '@scalekit-scim/core/sync'
import type { SimulatedProcess } from '../process.ts'
import type { World } from '../world.ts'
import type { Changes } from './changes.ts'
import type { Customers } from './customers.ts'
import type { DeletionJudge } from './deletion-judge.ts'
import type { SyncPlan } from './plan.ts'
import { changeNow } from './plan-changes.ts'

interface Scene {
  world: World
  plan: SyncPlan
  customers: Customers
  changes: Changes
  judge: DeletionJudge
  isQuiet: () => boolean
}

/** gRPC status codes of failed calls: unavailable, internal, resource exhausted. */
const grpcStatuses = [14, 14, 13, 8]
const latencyInQuietMs = 50

/** Scalekit's API behind a network. Each call is answered at one moment between its request and its answer. */
export class SimulatedApi {
  isDown = false
  readonly #scene: Scene

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** The client of one process. */
  clientIn(process: SimulatedProcess): DirectoryApi {
    const { customers, judge } = this.#scene
    const { organization, directory } = customers.environment.api
    const arrived =
      (options: { updatedAfter?: string | undefined } = {}) =>
      (ids: readonly string[]) => {
        if (options.updatedAfter === undefined) judge.listed(process, ids)
      }
    return {
      organization: {
        listOrganization: (options) => {
          judge.begin(process, [])
          return this.#call(process, 'organizations', () => organization.listOrganization(options))
        },
      },
      directory: {
        listDirectories: (organizationId) =>
          this.#call(process, 'directories', () => directory.listDirectories(organizationId)),
        listDirectoryUsers: (organizationId, id, options) =>
          this.#page(
            process,
            () => directory.listDirectoryUsers(organizationId, id, options),
            ({ users }) => users.map((user) => user.id),
            arrived(options),
          ),
        listDirectoryGroups: (organizationId, id, options) =>
          this.#page(
            process,
            () => directory.listDirectoryGroups(organizationId, id, options),
            ({ groups }) => groups.map((group) => group.id),
            arrived(options),
          ),
      },
    }
  }

  #page<Page>(
    process: SimulatedProcess,
    read: () => Promise<Page>,
    idsOf: (page: Page) => string[],
    arrived: (ids: readonly string[]) => void,
  ): Promise<Page> {
    const { world, plan, changes, customers, isQuiet } = this.#scene
    const answer = async () => {
      // The test's API keeps all calls, which would make long histories slow.
      customers.environment.api.calls.length = 0
      const page = await read()
      const random = world.stream('change during a page')
      if (!isQuiet() && random.happens(plan.api.changes)) {
        const change = changeNow(random, idsOf(page))
        world.schedule(random.spread(0.5, plan.api.latencyMs * 6), () => changes.make(change))
      }
      return page
    }
    return this.#call(process, 'page', answer, (page) => arrived(idsOf(page)))
  }

  #call<Answer>(
    process: SimulatedProcess,
    label: string,
    answer: () => Promise<Answer>,
    arrived: (answer: Answer) => void = () => {},
  ): Promise<Answer> {
    const { world, plan, isQuiet } = this.#scene
    const random = world.stream(`api ${process.name} ${label}`)
    const latencyMs = () => random.spread(1, isQuiet() ? latencyInQuietMs : plan.api.latencyMs * 2)
    const isLost = !isQuiet() && random.happens(plan.api.failures / 2)
    const fails = !isQuiet() && random.happens(plan.api.failures / 2)
    return new Promise((resolve, reject) => {
      const fail = (delayMs: number, error: object) =>
        world.schedule(delayMs, () => reject(Object.assign(new Error('the API is away'), error)), process)
      world.schedule(latencyMs(), () => {
        if (this.isDown || fails) return fail(latencyMs(), { grpcStatus: random.pick(grpcStatuses) })
        const arrive = (page: Answer) =>
          world.schedule(
            latencyMs(),
            () => {
              arrived(page)
              resolve(page)
            },
            process,
          )
        // The SDK notices a lost answer when its socket fails.
        const lose = () => fail(random.spread(100, 60_000), { code: 'ECONNRESET' })
        answer().then(isLost ? lose : arrive, (error) => fail(latencyMs(), { grpcStatus: 5, cause: error }))
      })
    })
  }
}
