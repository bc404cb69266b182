import type { DirectoryRef, KnownRecord, SyncReport } from '@scalekit-scim/core/sync'
import type { Accounts, Effect } from './accounts.ts'
import { type Environment, type Kind, kinds, type Member } from './environment.ts'
import { HeldWatch } from './held-watch.ts'
import type { Limits } from './limits-watch.ts'
import { type JudgedPass, notesOn, type PassEnd, type PassNotes, scopeOf } from './pass-notes.ts'
import { Scopes } from './scopes.ts'
import type { Story } from './story.ts'
import { wrongDeletion } from './wrong-deletion.ts'

interface Judged {
  environment: Environment
  accounts: Accounts
  story: Story
  limits: Limits
  /** Whether the ledger is shared, so that deletions need a history. */
  needsHistory: boolean
  nowMs: () => number
}

/** Compares every deletion with the true state, and with the reports. */
export class Judge {
  readonly #judged: Judged
  readonly #held = new HeldWatch()
  readonly #scopes: Scopes
  #pass: PassNotes | undefined

  constructor(judged: Judged) {
    this.#judged = judged
    this.#scopes = new Scopes(judged.limits)
  }

  begin(pass: JudgedPass): void {
    this.#pass = notesOn(pass)
  }

  /** `known` has yielded these records for a directory. */
  knownOf(directory: DirectoryRef, kind: Kind, records: readonly KnownRecord[]): void {
    const pass = this.#pass
    if (!pass) return
    const { environment, nowMs } = this.#judged
    const scope = scopeOf(directory.id, kind)
    const isOwn = ({ id }: KnownRecord) =>
      environment.members.get(id)?.directory.organizationId === directory.organizationId
    const ours = records.filter(isOwn)
    pass.asked.add(scope)
    if (ours.length < records.length) pass.foreign.add(scope)
    for (const record of ours) pass.yielded.set(record.id, { record, atMs: nowMs() })
    this.#held.yielded(ours, nowMs())

    const placed = ours.filter(({ directoryId }) => directoryId === directory.id).length
    const unplaced = ours.filter(({ directoryId }) => directoryId == null).length
    const isOnly = environment.everOf(directory.organizationId).length === 1
    // Held records do not count towards the size of the directory.
    const held = ours.filter(({ id }) => this.#held.wasHeld(id)).length
    const certain = (isOnly ? placed + unplaced : placed) - held
    this.#scopes.watch(scope).known(pass.startedMs, certain, placed + unplaced)
  }

  /** Records that a page of a full walk has listed these ids. */
  listed(ids: readonly string[]): void {
    for (const id of ids) this.#pass?.listed.add(id)
    this.#held.listed(ids)
    this.#scopes.listed(ids)
  }

  /** Checks a write of a handler of the sync before the write. */
  handled({ kind, id, organizationId, deletes, context }: Effect): void {
    const pass = this.#pass
    if (!pass || pass.dryRun) this.#accuse(`${id} is handled by a sync that must not do anything`)
    if (!pass || !deletes) return
    const { directoryId = '' } = context
    pass.deleted.add(id)
    const isExcused = (member: Member) => this.#isExcused(member, pass)
    const wrong = wrongDeletion(this.#judged, { id, organizationId }, pass, isExcused)
    if (wrong) this.#accuse(wrong)
    this.#judgeDirectory(id, scopeOf(directoryId, kind), pass)
  }

  /** Ends a pass with its report, or without a report if the process has crashed. */
  end(report: SyncReport | undefined, end: PassEnd): void {
    const pass = this.#pass
    this.#pass = undefined
    if (!pass) return
    const nowMs = this.#judged.nowMs()
    if (report) this.#requireReasons(report, pass)
    if (!pass.dryRun) {
      this.#held.given(pass.approve, nowMs)
      this.#scopes.end(pass, report, end)
    }
    if (report && end.wrote) {
      this.#requireListed(report, pass)
      this.#held.confirm(pass, nowMs)
    }
    if (report) this.#held.learn(report, pass, nowMs)
  }

  /** Records that the store has lost the state of an organization's users or groups, or only the held records. */
  forget(organizationId: string, kind: Kind, historyToo: boolean): void {
    this.#held.forget(organizationId, kind, historyToo)
    if (!historyToo) return
    for (const { id } of this.#judged.environment.everOf(organizationId)) {
      this.#scopes.forget(id, scopeOf(id, kind))
    }
  }

  forgetAll(): void {
    for (const organizationId of this.#judged.environment.organizations) {
      for (const kind of kinds) this.forget(organizationId, kind, true)
    }
  }

  /** Checks that deletions within the limits need no approval. */
  #requireReasons({ organizations }: SyncReport, { startedMs }: PassNotes): void {
    for (const { directoryId, held, error } of organizations.flatMap(({ directories }) => directories)) {
      const asked = held.filter(({ approval = '' }) => !error && !this.#held.knows(approval))
      for (const { kind, count, reason } of asked) {
        if (reason !== 'over-limit' && reason !== 'over-half') continue
        if (!this.#scopes.watch(scopeOf(directoryId, kind)).allows(startedMs, count)) continue
        this.#accuse(`${count} ${kind}s of ${directoryId} are held as ${reason}, and are within the limits`)
      }
    }
  }

  /** Checks that a report has the ids of all records that its pass has deleted. */
  #requireListed({ organizations }: SyncReport, { deleted }: PassNotes): void {
    const directories = organizations.flatMap((organization) => organization.directories)
    const named = new Set(
      directories.flatMap(({ deleted: { users, groups } }) => [...users.ids, ...groups.ids]),
    )
    for (const id of deleted) {
      if (!named.has(id)) this.#accuse(`${id} is deleted, and the report does not say so`)
    }
  }

  /**
   * A pass does not read a disabled directory, or a directory that is missing from the list. So a person may approve a
   * wrong deletion. If the row has no directory either, no pass can detect the directory.
   */
  #isExcused({ id, directory }: Member, { approve, yielded }: PassNotes): boolean {
    if (!directory.leftOut && directory.enabled) return false
    if (this.#held.isApproved(id, approve, this.#judged.nowMs())) return true
    return directory.leftOut && yielded.get(id)?.record.directoryId == null && !this.#scopes.hasMet(directory)
  }

  /** Checks whether the record may be deleted in this pass. */
  #judgeDirectory(id: string, scope: string, pass: PassNotes): void {
    const { nowMs, needsHistory, story } = this.#judged
    if (pass.foreign.has(scope))
      this.#accuse(`${id} is deleted although \`known\` yields others for ${scope}`)
    if (pass.stateIsAway) this.#accuse(`${id} is deleted although no record of deletions can be kept`)
    const isApproved = this.#held.isApproved(id, pass.approve, nowMs())
    const exceeded = this.#scopes.watch(scope).deleted(id, pass.startedMs, isApproved)
    if (exceeded) this.#accuse(`${id} of ${scope} is deleted: ${exceeded}`)
    if (isApproved) return
    const approval = this.#held.heldBy(id)
    if (approval) this.#accuse(`${id} is held under ${story.nameOf(approval)}, which nobody has approved`)
    if (!needsHistory || this.#scopes.hasHistory(scope)) return
    this.#accuse(`${id} is deleted by the first pass over ${scope}`)
  }

  #accuse(text: string): void {
    this.#judged.story.accuse(text)
  }
}
