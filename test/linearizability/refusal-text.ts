import type { Refusal } from './check-history.ts'
import type { State } from './contract.ts'
import { lineOf, type Operation, tokenOf } from './operations.ts'

/**
 * Prints a refused history, with one line for each operation. Before the state, prints only earlier operations with the
 * refused operation's token.
 */
export function textOf({ earlier, before, operations, refused }: Refusal): string {
  const ofSameToken = earlier.filter((operation) => tokenOf(operation) === tokenOf(refused))
  const originMs = [...ofSameToken, ...operations][0]?.calledMs ?? 0
  const line = (operation: Operation) => lineOf(operation, originMs)
  return [
    ...ofSameToken.map(line),
    `── ${stateText(before, originMs)} ──`,
    ...operations.map((operation) => line(operation) + (operation === refused ? '   ◀ not allowed' : '')),
  ].join('\n')
}

function stateText(
  { fence, hasHiddenFence, turn, watermark, hasTombstone, done }: State,
  originMs: number,
): string {
  const parts = [`fence ${fence}${hasHiddenFence ? ' or higher' : ''}`]
  if (turn) {
    const { earliestMs, latestMs, lengthMs } = turn.lease
    const [from, to] = [earliestMs, latestMs].map((ms) => (ms + lengthMs - originMs).toFixed(1))
    parts.push(`${turn.messageId} ${turn.token} has the turn until ${from} … ${to} ms`)
  }
  if (watermark !== '') parts.push(`${hasTombstone ? 'deletion' : 'event'} applied at ${watermark}`)
  if (done.size > 0)
    parts.push(`done: ${[...done].map(([messageId, token]) => `${messageId} ${token}`).join(', ')}`)
  return parts.join('; ')
}
