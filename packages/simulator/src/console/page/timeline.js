import { html, nothing, svg } from '/console/lit-html/lit-html.js'
import { duration, replyOf } from './format.js'

const width = 560
const height = 34
const marginX = 12
const lineY = 12
/** All eight attempts with their longest jitter fit into this. */
const longestSeconds = 36 * 3600
const ticks = [0, 5, 300, 1800, 7200, 18_000, 36_000, 108_000]
/** Where there is little room, these go without a label. */
const crowded = new Set([1800, 18_000])

/**
 * The attempts of one delivery, from the first on. Seconds and hours both have to be seen, so the line is
 * logarithmic; a hollow mark is the attempt to come.
 */
export function timeline({ attempts, nextAttemptAtMs, createdAtMs, state }) {
  const secondsAfter = (ms) => Math.max((ms - createdAtMs) / 1000, 0)
  return html`
    <svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label=${spoken(attempts, state)}>
      <line x1=${marginX} x2=${width - marginX} y1=${lineY} y2=${lineY}></line>
      ${ticks.map(
        (seconds) => svg`
        <line class="tick" x1=${x(seconds)} x2=${x(seconds)} y1=${lineY - 4} y2=${lineY + 4}></line>
        <text class=${crowded.has(seconds) ? 'crowded' : ''} x=${x(seconds)} y=${height - 2}>${seconds === 0 ? '0' : duration(seconds)}</text>`,
      )}
      ${attempts.map((one) => mark(x(secondsAfter(one.startedAtMs)), one))}
      ${
        nextAttemptAtMs === undefined
          ? nothing
          : svg`
        <circle class="next" cx=${x(secondsAfter(nextAttemptAtMs))} cy=${lineY} r="5"><title>the next attempt</title></circle>`
      }
    </svg>`
}

/** A circle for an attempt of the schedule; a diamond for one that was asked for. Of a forged one a refusal is good. */
function mark(atX, attempt) {
  const { status, trigger } = attempt
  const isTaken = status === 200 || status === 201
  const kind = isTaken === (trigger !== 'forge') ? 'good' : 'failed'
  const title = svg`<title>${trigger}: ${replyOf(attempt)}</title>`
  if (trigger === 'schedule') return svg`<circle class=${kind} cx=${atX} cy=${lineY} r="6">${title}</circle>`
  const corners = `${atX},${lineY - 7} ${atX + 7},${lineY} ${atX},${lineY + 7} ${atX - 7},${lineY}`
  return svg`<polygon class=${kind} points=${corners}>${title}</polygon>`
}

function x(seconds) {
  const share = Math.log1p(Math.min(seconds, longestSeconds)) / Math.log1p(longestSeconds)
  return marginX + share * (width - 2 * marginX)
}

function spoken(attempts, state) {
  return `${attempts.map((attempt) => `${attempt.trigger} ${replyOf(attempt)}`).join(', then ')}; ${state}`
}
