import type { SyncReport } from '@scalekit-scim/core/sync'
import { Accounts } from '../../support/deletion-histories/accounts.ts'
import { describePass } from '../../support/deletion-histories/pass-words.ts'
import { Findings } from '../findings.ts'
import { HistoryRecord } from '../record.ts'
import { Sender } from '../sender.ts'
import { Server } from '../stores/server.ts'
import { seedOf } from '../stream.ts'
import { World, type WorldOptions } from '../world.ts'
import { SimulatedApi } from './api.ts'
import { SyncApplication } from './application.ts'
import { Changes } from './changes.ts'
import { Customers } from './customers.ts'
import { DeletionJudge } from './deletion-judge.ts'
import { syncCausesIn } from './documented-causes.ts'
import { SyncFaultInjector } from './fault-injector.ts'
import { SyncFleet } from './fleet.ts'
import { Lies } from './lies.ts'
import { SyncOperator } from './operator.ts'
import type { SyncPlan } from './plan.ts'
import { populate } from './population.ts'
import { SyncStore } from './sync-store.ts'
import { WebhookInvariants } from './webhook-invariants.ts'

export type Stage = ReturnType<typeof stageOf>

/** The world of a history, with its customers, API, store and processes, before anything happens. */
export function stageOf(plan: SyncPlan, options: Omit<WorldOptions, 'seed'>) {
  const world = new World({ seed: seedOf(plan.seed, 'sync world'), ...options })
  const quietMs = endOfFaults(plan)
  const server = new Server(world, {
    clockOffsetMs: plan.clockOffsetsMs.store,
    callsDieWithProcess: false,
    troubledFromMs: Number.POSITIVE_INFINITY,
  })
  server.faults = plan.network
  const [record, findings, accounts] = [
    new HistoryRecord(),
    new Findings(syncCausesIn[plan.flavour]),
    new Accounts(),
  ]
  const store = new SyncStore(server)
  const isQuiet = () => world.nowMs >= quietMs
  const customers = new Customers({ world, plan, send: (message) => sender.schedule(message) })
  const common = { world, plan, customers, accounts, findings, record, server, store, isQuiet }
  const lies = new Lies(world, customers)
  const judge = new DeletionJudge({ ...common, lies })
  const application = new SyncApplication({ ...common, judge })
  const changes = new Changes({ ...common, application })
  const api = new SimulatedApi({ ...common, changes, judge })
  const webhooks = new WebhookInvariants({ ...common, application, judge })
  const reports: SyncReport[] = []
  const fleet = new SyncFleet({
    ...common,
    application,
    api,
    onReport: ({ process }, report) => {
      for (const line of describePass(report, names)) {
        world.story.tell(() => `  ${process.name} reports: ${line}`)
      }
      reports.push(report)
      judge.end(process, report)
      operator.read(report)
    },
    onStale: (messageId) => webhooks.stale(messageId),
  })
  const sender = new Sender({ ...common, fleet })
  const operator = new SyncOperator({ ...common, fleet, judge })
  const faults = new SyncFaultInjector({ ...common, lies, judge, api, fleet })
  populate({ ...common, application })
  for (const change of plan.changes) world.schedule(change.atMs, () => changes.make(change))
  for (const fault of plan.faults) faults.schedule(fault)
  return { ...common, quietMs, judge, application, webhooks, reports, fleet, sender, operator, faults }
}

const names = { nameOf: (approval: string) => approval.slice(0, 8) }

/** The time at which all changes have been made, and all faults have ended. */
function endOfFaults({ churnMs, changes, faults }: SyncPlan): number {
  const ends = faults.map((fault) => fault.atMs + ('forMs' in fault ? fault.forMs : 300) + 60_000)
  return Math.max(churnMs, ...changes.map(({ atMs }) => atMs), ...ends) + 1000
}
