import { html, nothing, svg } from '/console/lit-html/lit-html.js'
import { duration, replyOf } from './format.js'

const width = 560
const height = 34
const marginX = 12
const lineY = 12
/** The length of the timeline. All eight attempts fit, even with the largest jitter. */
const maxSeconds = 36 * 3600
const ticks = [0, 5, 300, 1800, 7200, 18_000, 36_000, 108_000]
/** The ticks that have no label on a narrow page. */
const crowded = new Set([1800, 18_000])

/**
 * Draws the attempts of one delivery. The scale is logarithmic, so that seconds and hours are visible. A hollow
 * mark is the next attempt.
 */
export function timeline({ attempts, nextAttemptAtMs, createdAtMs, state }) {
  const secondsAfter = (ms) => Math.max((ms - createdAtMs) / 1000, 0)
  return html`
    <svg class="timeline" viewBox="0 0 ${width} ${height}" role="img" aria-label=${descriptionOf(attempts, state)}>
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
        <circle class="next" cx=${x(secondsAfter(nextAttemptAtMs))} cy=${lineY} r="5"><title>next attempt</title></circle>`
      }
    </svg>`
}

/**
 * Draws a circle for a scheduled attempt, and a diamond for a manual attempt. If the endpoint refuses a forged attempt,
 * the mark has the color of success.
 */
function mark(atX, attempt) {
  const { status, trigger } = attempt
  const isAccepted = status === 200 || status === 201
  const kind = isAccepted === (trigger !== 'forge') ? 'good' : 'failed'
  const title = svg`<title>${trigger}: ${replyOf(attempt)}</title>`
  if (trigger === 'schedule') return svg`<circle class=${kind} cx=${atX} cy=${lineY} r="6">${title}</circle>`
  const corners = `${atX},${lineY - 7} ${atX + 7},${lineY} ${atX},${lineY + 7} ${atX - 7},${lineY}`
  return svg`<polygon class=${kind} points=${corners}>${title}</polygon>`
}

function x(seconds) {
  const share = Math.log1p(Math.min(seconds, maxSeconds)) / Math.log1p(maxSeconds)
  return marginX + share * (width - 2 * marginX)
}

function descriptionOf(attempts, state) {
  return `${attempts.map((attempt) => `${attempt.trigger} ${replyOf(attempt)}`).join(', then ')}; ${state}`
}
