/** Returns the milliseconds of CPU time (user and system) that this process spends on `work`. */
export async function cpuMs(work: () => Promise<unknown> | unknown): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** Returns the number of measured rounds: `--rounds` of `npm run bench`, or the table's own number. */
export function roundsOr(usual: number): number {
  return Number(process.env.BENCH_ROUNDS ?? usual)
}

/** Returns the ratio of two figures in each round. */
export function ratios(values: readonly number[], to: readonly number[]): number[] {
  return values.map((value, round) => value / (to[round] ?? Number.NaN))
}

/** Formats the median, minimum and maximum of the rounds: `6.5 µs (6.3 … 7.1)`. */
export function spread(values: readonly number[], unit: string, digits = 1): string {
  const show = (value: number) => value.toFixed(digits)
  const middle = `${show(median(values))} ${unit}`
  return values.length === 1
    ? middle
    : `${middle} (${show(Math.min(...values))} … ${show(Math.max(...values))})`
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN
}
