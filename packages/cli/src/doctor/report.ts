import { styled } from '../terminal.ts'
import type { Finding, FindingState } from './finding.ts'

export interface Result extends Finding {
  check: string
  title: string
}

const labels: Readonly<Record<FindingState, string>> = {
  ok: styled('green', 'ok     '),
  wrong: styled('red', 'WRONG  '),
  note: styled('yellow', 'note   '),
  skipped: styled('dim', 'skipped'),
}

/** Formats a result as a line of the table. If there is a fix, the problem and the fix follow on separate lines. */
export function row({ state, title, detail, hint }: Result): string {
  const line = `${labels[state]}  ${title.padEnd(58)}`
  if (hint === undefined) return `${line}  ${styled('dim', detail)}`
  return `${line.trimEnd()}\n           ${detail}\n           ${styled('bold', 'Fix:')} ${hint}`
}

export function countOf(results: readonly Result[], state: FindingState): number {
  return results.filter((result) => result.state === state).length
}

export function summary(results: readonly Result[]): string {
  const parts = [
    `${countOf(results, 'ok')} ok`,
    `${countOf(results, 'wrong')} WRONG`,
    `${countOf(results, 'note')} to note`,
  ]
  const skips = countOf(results, 'skipped')
  if (skips > 0) parts.push(`${skips} skipped`)
  const verdict = countOf(results, 'wrong') === 0 ? 'Nothing is wrong.' : 'Something is wrong.'
  return `\n${verdict} ${parts.join(', ')}.`
}
