import type { DirectoryRef, KnownRecord, SyncReport } from '@scalekit-scim/core/sync'
import type { Accounts, Effect } from '../../support/deletion-histories/accounts.ts'
import { type Kind, kinds, type Member } from '../../support/deletion-histories/environment.ts'
import { HeldWatch } from '../../support/deletion-histories/held-watch.ts'
import { notesOn, type PassNotes, scopeOf } from '../../support/deletion-histories/pass-notes.ts'
import { wrongDeletion } from '../../support/deletion-histories/wrong-deletion.ts'
import type { Findings } from '../findings.ts'
import type { SimulatedProcess } from '../process.ts'
import type { Server } from '../stores/server.ts'
import type { World } from '../world.ts'
import type { Customers } from './customers.ts'
import type { SyncCause } from './documented-causes.ts'
import type { Lies } from './lies.ts'
import { DeletionLimits } from './limits.ts'
import type { SyncPlan } from './plan.ts'

interface Scene {
  world: World
  plan: SyncPlan
  customers: Customers
  accounts: Accounts
  lies: Lies
  findings: Findings<SyncCause>
  server: Server
}

const withinLimits = 'unapproved deletions stay within the limits'
export const heldStaysHeld = 'held is never applied without approval'
export const nobodyThereIsDeleted = 'nobody in a directory is deleted'

/** Compares each deletion of the sync with the true state, and with the reports. */
export class DeletionJudge {
  /** The passes that have begun, and whose report has not come. */
  readonly open = new Map<SimulatedProcess, PassNotes>()
  readonly #scene: Scene
  readonly #held = new HeldWatch()
  /** When a report first had a record as held. */
  readonly #heldMs = new Map<string, number>()
  /** When a walk last listed a record. */
  readonly #listedMs = new Map<string, number>()
  /** The held records at each loss of the store. */
  readonly #lost = new Map<string, { heldMs: number; sinceMs: number }>()
  readonly #limits: DeletionLimits
  /** The last deletion of each member that should not have been, with its documented cause. */
  readonly explained = new Map<string, { atMs: number; cause: SyncCause }>()
  deletions = 0
  /** Processes that ended during their pass. */
  crashes = 0

  constructor(scene: Scene) {
    this.#scene = scene
    this.#limits = new DeletionLimits(scene.plan)
  }

  begin(process: SimulatedProcess, approvals: readonly string[]): void {
    const { nowMs } = this.#scene.world
    const approve = new Set(approvals)
    const pass = notesOn({ startedMs: nowMs, dryRun: false, approve, stateIsAway: false })
    this.open.set(process, pass)
    process.onDeath(() => {
      if (this.open.get(process) !== pass) return
      this.open.delete(process)
      this.crashes++
    })
    this.#held.given(approve, nowMs)
  }

  yielded(process: SimulatedProcess, record: KnownRecord): void {
    this.open.get(process)?.yielded.set(record.id, { record, atMs: this.#scene.world.nowMs })
  }

  /** `known` has yielded all its records for a directory. */
  read(
    process: SimulatedProcess,
    directory: DirectoryRef,
    kind: Kind,
    records: readonly KnownRecord[],
  ): void {
    const { startedMs } = this.open.get(process) ?? { startedMs: this.#scene.world.nowMs }
    this.#limits.read(scopeOf(directory.id, kind), directory.id, startedMs, records)
  }

  /** A page of a full walk has arrived. */
  listed(process: SimulatedProcess, ids: readonly string[]): void {
    const pass = this.open.get(process)
    for (const id of ids) {
      pass?.listed.add(id)
      this.#listedMs.set(id, this.#scene.world.nowMs)
      this.#heldMs.delete(id)
      this.#lost.delete(id)
    }
    this.#held.listed(ids)
  }

  /** The sync is about to delete a row. */
  deleted(effect: Effect, process: SimulatedProcess): void {
    const { findings, world } = this.#scene
    this.deletions++
    const pass = this.open.get(process)
    if (!pass) {
      findings.violate(nobodyThereIsDeleted, world.nowMs, `${effect.id} is deleted without a pass`)
      return
    }
    this.#judgeHeld(effect.id, pass)
    this.#judgePresence(effect, pass)
    this.#judgeLimits(effect, pass)
  }

  end(process: SimulatedProcess, report: SyncReport): void {
    if (report.outcome === 'busy') return
    const pass = this.open.get(process)
    if (!pass || !isReportOf(pass, report)) return
    this.open.delete(process)
    const { nowMs } = this.#scene.world
    if (report.outcome === 'complete') this.#held.confirm(pass, nowMs)
    const directories = report.organizations.flatMap((organization) => organization.directories)
    // Another pass may have listed a record meanwhile, so that it is no longer held.
    const since = [...this.#listedMs].filter(([, atMs]) => atMs >= pass.startedMs).map(([id]) => id)
    this.#held.learn(report, { ...pass, listed: new Set([...pass.listed, ...since]) }, nowMs)
    for (const id of directories.flatMap(({ held }) => held.flatMap(({ ids }) => ids))) {
      if (this.#held.heldBy(id) === undefined) continue
      this.#lost.delete(id)
      if (!this.#heldMs.has(id)) this.#heldMs.set(id, nowMs)
    }
  }

  storeLost(sinceMs: number): void {
    const { customers } = this.#scene
    for (const [id, heldMs] of this.#heldMs) {
      if (this.#held.heldBy(id) !== undefined) this.#lost.set(id, { heldMs, sinceMs })
    }
    for (const organizationId of customers.environment.organizations) {
      for (const kind of kinds) this.#held.forget(organizationId, kind, sinceMs === Number.NEGATIVE_INFINITY)
    }
  }

  #judgeHeld(id: string, { approve }: PassNotes): void {
    const { findings, world } = this.#scene
    const approval = this.#held.heldBy(id)
    const lost = this.#lost.get(id)
    if (approval === undefined && !lost) return
    if (this.#held.isApproved(id, approve, world.nowMs)) return
    const isLost = approval === undefined && lost && lost.heldMs >= lost.sinceMs
    findings.explain(heldStaysHeld, isLost ? 'store loss' : undefined, world.nowMs, () => {
      return `${id} is held under ${approval?.slice(0, 8)}, which nobody has approved`
    })
  }

  #judgeLimits({ id, kind, context }: Effect, { startedMs, approve }: PassNotes): void {
    const { findings, world, server } = this.#scene
    const scope = scopeOf(context.directoryId ?? '', kind)
    const isApproved = this.#held.isApproved(id, approve, world.nowMs)
    const exceeded = this.#limits.deleted(scope, id, startedMs, isApproved)
    // The store has also lost the counts.
    const cause = server.losses.length > 0 ? 'store loss' : undefined
    if (exceeded) findings.explain(withinLimits, cause, world.nowMs, () => `${id} of ${scope}: ${exceeded}`)
  }

  #judgePresence(effect: Effect, pass: PassNotes): void {
    const { findings, world, customers, accounts, lies } = this.#scene
    const { environment } = customers
    const member = environment.members.get(effect.id)
    const isUnread =
      member?.present &&
      (lies.wereToldAbout(member, pass.startedMs) ||
        customers.wasDisabledSince(member.directory, pass.startedMs))
    if (member && isUnread) {
      const cause = this.#causeOf(member, pass)
      if (cause) this.explained.set(member.id, { atMs: world.nowMs, cause })
      findings.explain(nobodyThereIsDeleted, cause, world.nowMs, () => {
        return `${member.id} is in ${member.directory.id}, which the pass has not read`
      })
      return
    }
    const wrong = wrongDeletion({ environment, accounts }, effect, pass, () => false)
    if (wrong) findings.violate(nobodyThereIsDeleted, world.nowMs, wrong)
    else if (member?.present)
      findings.explain(nobodyThereIsDeleted, 'joined during the pass', world.nowMs, () => '')
  }

  #causeOf(member: Member, pass: PassNotes): SyncCause | undefined {
    const { world, accounts, lies } = this.#scene
    if (this.#held.isApproved(member.id, pass.approve, world.nowMs)) return 'approved by mistake'
    if (lies.hid(member, pass.startedMs)) return 'wrong filter'
    const rowDirectory = accounts.rows.get(member.id)?.directoryId ?? member.directory.id
    return rowDirectory === member.directory.id ? undefined : 'moved to an unread directory'
  }
}

/**
 * Whether the report is of a pass that has begun. An operator's run and a scheduled pass can overlap in a process. The one
 * without the lease may report an error of the store.
 */
function isReportOf({ approve }: PassNotes, { organizations, unusedApprovals }: SyncReport): boolean {
  if (organizations.length > 0) return true
  return approve.size > 0 === unusedApprovals.length > 0
}
