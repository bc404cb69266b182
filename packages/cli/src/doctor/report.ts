import { styled } from '../terminal.ts'
import type { Finding, FindingState } from './finding.ts'

export interface Examined extends Finding {
  check: string
  title: string
}

const words: Readonly<Record<FindingState, string>> = {
  ok: styled('green', 'ok     '),
  wrong: styled('red', 'WRONG  '),
  note: styled('yellow', 'note   '),
  skipped: styled('dim', 'skipped'),
}

/** One line of the table; beneath it what is wrong, and how to fix it. */
export function row({ state, title, says, hint }: Examined): string {
  const line = `${words[state]}  ${title.padEnd(58)}`
  if (hint === undefined) return `${line}  ${styled('dim', says)}`
  return `${line.trimEnd()}\n           ${says}\n           ${styled('bold', 'Fix:')} ${hint}`
}

export function summary(results: readonly Examined[]): string {
  const count = (state: FindingState) => results.filter((result) => result.state === state).length
  const parts = [`${count('ok')} ok`, `${count('wrong')} WRONG`, `${count('note')} to note`]
  if (count('skipped') > 0) parts.push(`${count('skipped')} skipped`)
  return `\n${count('wrong') === 0 ? 'Nothing is wrong.' : 'Something is wrong.'} ${parts.join(', ')}.`
}
