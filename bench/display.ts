import { clearLine, cursorTo } from 'node:readline'
import type { Machine } from './environment.ts'
import { formatReport, formatVerdict, isKept } from './report.ts'
import type { TableListener, TableResult } from './table-run.ts'

/** Prints reports to the standard output, and progress to the standard error. */
export class Display {
  environment({ machine, versions }: { machine: Machine; versions: Record<string, string> }): void {
    const { cpu, cores, memoryGb, system, load } = machine
    this.#print(`${cpu}, ${cores} cores, ${memoryGb} GB, ${system}, load ${load.toFixed(1)}`)
    this.#print(
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    )
  }

  listenerFor(table: string): TableListener {
    return {
      progress: (text) => this.#progress(`${table}: ${text}`),
      report: (report) => this.#print(`\n${formatReport(report)}`),
      failure: (reason) => this.#print(`\n${table} failed: ${reason}`),
    }
  }

  /** Prints the verdicts of all tables. */
  summary(results: readonly TableResult[]): void {
    this.#print('\nVerdicts')
    for (const { table, seconds, reports, failures } of results) {
      this.#print(`  ${table} (${seconds.toFixed(0)} s)`)
      for (const reason of failures) this.#print(`    FAILED    ${reason.split('\n')[0]}`)
      for (const { verdicts } of reports) {
        for (const verdict of verdicts) this.#print(`    ${formatVerdict(verdict)}`)
      }
    }
    const verdicts = results.flatMap(({ reports }) => reports.flatMap((report) => report.verdicts))
    const exceeded = verdicts.filter((verdict) => !isKept(verdict)).length
    const failed = results.filter(({ failures }) => failures.length > 0).length
    this.#print(
      `\n${verdicts.length} limits, ${exceeded} exceeded. ${results.length} tables, ${failed} failed.`,
    )
  }

  #progress(text: string): void {
    if (!process.stderr.isTTY) return void process.stderr.write(`${text}\n`)
    this.#clear()
    process.stderr.write(text.slice(0, process.stderr.columns - 1))
  }

  #print(text: string): void {
    this.#clear()
    console.log(text)
  }

  #clear(): void {
    if (!process.stderr.isTTY) return
    clearLine(process.stderr, 0)
    cursorTo(process.stderr, 0)
  }
}
