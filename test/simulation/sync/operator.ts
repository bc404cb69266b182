import type { SyncReport } from '@scalekit-scim/core/sync'
import { approvalsIn } from '../../support/deletion-histories/operator.ts'
import type { World } from '../world.ts'
import type { Customers } from './customers.ts'
import type { DeletionJudge } from './deletion-judge.ts'
import type { SyncFleet } from './fleet.ts'
import type { SyncPlan } from './plan.ts'

interface Scene {
  world: World
  plan: SyncPlan
  customers: Customers
  fleet: SyncFleet
  judge: DeletionJudge
  isQuiet: () => boolean
}

/** The person who reads the reports, and approves some of the held batches: soon, late, or never. */
export class SyncOperator {
  approvals = 0
  readonly #scene: Scene
  readonly #seen = new Set<string>()

  constructor(scene: Scene) {
    this.#scene = scene
  }

  read(report: SyncReport): void {
    const { world, plan } = this.#scene
    for (const approval of approvalsIn(report)) {
      if (this.#seen.has(approval)) continue
      this.#seen.add(approval)
      const random = world.stream(`approval ${approval}`)
      if (!random.happens(plan.approves)) continue
      world.schedule(random.spread(1000, 600_000), () => this.#approve(approval))
    }
  }

  #approve(approval: string): void {
    const { world, customers, fleet, judge, isQuiet } = this.#scene
    const running = fleet.running()
    if (running.length === 0 || isQuiet()) return
    const { process, sync } = world.stream('operator').pick(running)
    world.story.tell(() => `the operator approves ${approval.slice(0, 8)} on ${process.name}`)
    this.approvals++
    const organizations = () => {
      judge.begin(process, [approval])
      return customers.environment.organizations
    }
    world.schedule(0, () => void sync.run({ approve: [approval], organizations }), process)
  }
}
