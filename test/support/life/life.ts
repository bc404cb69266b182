import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '@scalekit-scim/core/internal'
import { TEST_SECRET } from '@scalekit-scim/core/testing'
import { createSimulator, type Simulator, type WebhookFaults } from '@scalekit-scim/simulator'
import { Random } from '../../chaos/random.ts'
import { ApplicationProcess } from './application-process.ts'
import { Administrators, type Size } from './changes.ts'
import { harmed, type Mismatch, mismatches } from './comparison.ts'
import { Passes } from './passes.ts'
import { RecordHistory } from './record-history.ts'
import { openStableAddress, type StableAddress } from './stable-address.ts'
import { TimeFile } from './time-file.ts'

export interface LifeOptions extends Partial<Size> {
  seed: number
  changes: number
  onProgress?: (changes: number) => void
}

export interface LifeReport {
  seed: number
  kills: number
  passes: number
  /** The records that differ from the directory after two final full passes. */
  unequal: Mismatch[]
  /** The users that the application deleted at any time, although the directory listed them. */
  harmed: string[]
  /** The seed, and the history of the first wrong record. */
  story: string
}

/**
 * The time from the last change until a full pass makes everything equal. It is the margin of 60 s between a sync's
 * watermark and its reading, and the 30 s between the clocks.
 */
export const convergenceSeconds = 91
const clocksApartMs = 30_000
/** The lease of claims and passes, in real time. The claims of a killed process expire after this time. */
const leaseSeconds = 1.5

const faults: WebhookFaults = {
  drop: { share: 0.1 },
  duplicate: { share: 0.1 },
  delay: { share: 0.05, seconds: 40 * 3600 },
  reorder: { share: 0.1, past: 3 },
  corruptSignature: { share: 0.02 },
  truncate: { share: 0.02 },
}

/** The state that a restored backup, or a new server, does not have. */
const losses = ['database', 'database and ledger', 'ledger'] as const

/** Changes directories over a long time. The application must match the directories in spite of failures. */
export async function live(options: LifeOptions): Promise<LifeReport> {
  const folder = mkdtempSync(join(tmpdir(), 'scalekit-scim-life-'))
  try {
    await using life = await Life.begin(options, folder)
    return await life.run()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

class Life implements AsyncDisposable {
  readonly #options: LifeOptions
  readonly #random: Random
  readonly #simulator: Simulator
  readonly #time: TimeFile
  readonly #databaseFile: string
  readonly #administrators: Administrators
  readonly #recordHistory: RecordHistory
  readonly #application: ApplicationProcess
  readonly #passes: Passes
  readonly #stableAddress: StableAddress
  readonly #harmed = new Set<string>()
  #kills = 0
  /** The change after which a killed application is started again. */
  #reviveAt = 0

  static async begin(options: LifeOptions, folder: string): Promise<Life> {
    const random = new Random(options.seed)
    const time = new TimeFile(join(folder, 'time'))
    const clocks = new Random(options.seed + 2e6)
    const skewMs = () => (clocks.next() - 0.5) * clocksApartMs
    const wholeSeconds = options.seed % 2 === 0
    const simulator: Simulator = await createSimulator({
      seed: options.seed,
      clockSpeed: 0,
      // Each change comes from a server with another clock.
      stampMicros: () => {
        const ms = simulator.clock.now() + skewMs()
        return wholeSeconds ? Math.floor(ms / 1000) * 1_000_000 : Math.floor(ms * 1000)
      },
      faults: { webhooks: faults, api: { internal: 0.001, orderByUpdate: options.seed % 4 === 1 } },
    })
    time.set(simulator.clock.now())
    const ledgerSkewMs = skewMs()
    const application = new ApplicationProcess({
      databaseFile: join(folder, 'accounts.db'),
      timeFile: time.path,
      ownLedger: options.seed % 4 === 0,
      leaseSeconds,
      secret: TEST_SECRET,
      variables: simulator.variables,
      skewMs,
      ledgerClock: { ...systemClock, now: () => Math.floor(simulator.clock.now() + ledgerSkewMs) },
    })
    const stableAddress = await openStableAddress(
      () => application.port,
      () => time.set(simulator.clock.now()),
    )
    simulator.deliveries.addEndpoint({ url: stableAddress.url, secret: TEST_SECRET })
    const life = new Life(options, { random, simulator, time, application, stableAddress, folder })
    await application.start()
    return life
  }

  private constructor(
    options: LifeOptions,
    parts: {
      random: Random
      simulator: Simulator
      time: TimeFile
      application: ApplicationProcess
      stableAddress: StableAddress
      folder: string
    },
  ) {
    this.#options = options
    this.#random = parts.random
    this.#simulator = parts.simulator
    this.#time = parts.time
    this.#application = parts.application
    this.#stableAddress = parts.stableAddress
    this.#databaseFile = join(parts.folder, 'accounts.db')
    const { environment, clock } = parts.simulator
    const { organizations = 3, users = 2000, groups = 100 } = options
    this.#administrators = new Administrators(environment, new Random(options.seed + 1e6), {
      organizations,
      users,
      groups,
    })
    this.#recordHistory = new RecordHistory(() => clock.now())
    this.#recordHistory.watch(environment)
    this.#passes = new Passes(parts.application, this.#recordHistory, () => this.#lookForHarm())
    this.#administrators.settle()
  }

  async run(): Promise<LifeReport> {
    const { changes, onProgress } = this.#options
    const backupAt = Math.floor(changes * (0.3 + this.#random.next() * 0.2))
    const loseAt = Math.floor(changes * (0.6 + this.#random.next() * 0.3))
    for (let change = 0; change < changes; change++) {
      this.#administrators.change()
      if (this.#random.next() < 0.2) await this.#advance(this.#waitSeconds())
      if (change === backupAt) this.#backUp()
      if (change === loseAt) await this.#lose()
      await this.#mayDie(change)
      const mode = this.#random.next() < 0.4 ? 'full' : 'incremental'
      if (this.#random.next() < 1 / 150) this.#passes.begin({ mode })
      onProgress?.(change + 1)
    }
    return this.#end()
  }

  /** Two full passes at the end. Then all delayed webhooks arrive, and two more passes run. */
  async #end(): Promise<LifeReport> {
    this.#administrators.enableAll()
    this.#simulator.setFaults({ api: {} })
    await this.#passes.ended()
    if (this.#application.port === undefined) await this.#application.start()
    await this.#advance(convergenceSeconds)
    await this.#passes.lastTwo()
    let unequal = this.#compare()
    if (unequal.length === 0) {
      for (let hour = 0; hour < 80; hour++) await this.#advance(3600)
      await this.#passes.lastTwo()
      unequal = this.#compare()
    }
    const [firstHarmed] = this.#harmed
    const id = unequal[0]?.id ?? firstHarmed
    const { seed } = this.#options
    return {
      seed,
      kills: this.#kills,
      passes: this.#passes.count,
      unequal,
      harmed: [...this.#harmed],
      story:
        id === undefined
          ? `seed ${seed}: equal`
          : `seed ${seed}, ${id}:\n${this.#recordHistory.of(id, this.#simulator.deliveries)}`,
    }
  }

  /** Time advances slowly during a pass, because a page takes milliseconds, not a minute. */
  #waitSeconds(): number {
    if (this.#passes.areUnderWay) return this.#random.next() * 2
    const isNight = this.#random.next() < 0.01
    return this.#random.next() * (isNight ? 10 * 3600 : 150)
  }

  async #advance(seconds: number): Promise<void> {
    await this.#simulator.step(seconds * 1000)
    this.#time.set(this.#simulator.clock.now())
  }

  /** Kills the application at a random moment. The application starts again soon, or after an outage. */
  async #mayDie(change: number): Promise<void> {
    if (this.#application.port === undefined) {
      if (change >= this.#reviveAt) await this.#application.start()
    } else if (this.#random.next() < 1 / 400) {
      this.#kills++
      this.#reviveAt = change + this.#random.below(this.#random.next() < 0.3 ? 200 : 20)
      await sleep(this.#random.next() * 5)
      this.#recordHistory.note('the application is killed')
      void this.#application.kill()
    }
  }

  #backUp(): void {
    this.#recordHistory.note('a backup is made')
    this.#application.backUp()
  }

  async #lose(): Promise<void> {
    const lost = losses[this.#options.seed % losses.length] ?? 'database'
    await this.#application.kill()
    this.#recordHistory.note(`the ${lost} is lost`)
    if (lost !== 'ledger') this.#application.restore()
    if (lost !== 'database') this.#application.loseLedger()
    await this.#application.start()
  }

  #compare(): Mismatch[] {
    this.#lookForHarm()
    return mismatches(this.#simulator.environment, this.#databaseFile)
  }

  #lookForHarm(): void {
    for (const id of harmed(this.#simulator.environment, this.#databaseFile)) this.#harmed.add(id)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#application.kill()
    await this.#simulator.close()
    await this.#stableAddress[Symbol.asyncDispose]()
  }
}
