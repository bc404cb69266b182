import { median, spread } from './measure.ts'

/** One line of a table. A cell contains the values of all rounds. */
export interface Row {
  name: string
  cells: Readonly<Record<string, readonly number[]>>
}

export interface Column {
  name: string
  unit: string
  digits: number
}

/** A figure that must be within a limit. The figure is the median of the values. */
export interface Verdict {
  name: string
  values: readonly number[]
  limit: number
  /** @default 'at most' */
  bound?: 'at most' | 'at least'
  /** @default '×' */
  unit?: string
}

/** The result of one table of the benchmarks. */
export interface Report {
  title: string
  columns: readonly Column[]
  rows: readonly Row[]
  verdicts: readonly Verdict[]
  notes?: readonly string[]
}

/** The messages that a table's process sends to `npm run bench`. */
export type Message = { progress: string } | { report: Report }

/** Shows progress: in `npm run bench` as one line that changes, otherwise as a line of its own. */
export function progress(text: string): void {
  if (process.send) process.send({ progress: text } satisfies Message)
  else console.error(text)
}

/**
 * Hands the result to `npm run bench`, or prints it. If a limit is exceeded, sets the exit code. A process can publish
 * several reports.
 */
export function publish(report: Report): void {
  if (process.send) process.send({ report } satisfies Message)
  else console.log(formatReport(report))
  if (!report.verdicts.every(isKept)) process.exitCode = 1
}

export function isKept({ values, limit, bound = 'at most' }: Verdict): boolean {
  const value = median(values)
  return bound === 'at most' ? value <= limit : value >= limit
}

/** Formats a report as text: medians with the minimum and the maximum, and the verdicts. */
export function formatReport({ title, columns, rows, verdicts, notes = [] }: Report): string {
  const lines = [title, ...notes.map((note) => `  ${note}`)]
  const cellOf = (row: Row, { name, unit, digits }: Column) => {
    const values = row.cells[name]
    return values === undefined || values.length === 0 ? '–' : spread(values, unit, digits)
  }
  const table = [
    ['', ...columns.map(({ name }) => name)],
    ...rows.map((row) => [row.name, ...columns.map((column) => cellOf(row, column))]),
  ]
  const widths = ['', ...columns].map((_, at) => Math.max(...table.map((line) => line[at]?.length ?? 0)))
  lines.push(
    ...table.map((line) => `  ${line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ')}`.trimEnd()),
  )
  lines.push(...verdicts.map((verdict) => `  ${formatVerdict(verdict)}`))
  return lines.join('\n')
}

export function formatVerdict(verdict: Verdict): string {
  const { name, values, limit, bound = 'at most', unit = '×' } = verdict
  return `${isKept(verdict) ? 'kept    ' : 'EXCEEDED'}  ${name}: ${spread(values, unit, 2)}, limit ${bound} ${limit} ${unit}`
}
