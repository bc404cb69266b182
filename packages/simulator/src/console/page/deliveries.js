import { repeat } from '/console/lit-html/directives/repeat.js'
import { html, nothing } from '/console/lit-html/lit-html.js'
import { ask } from './api.js'
import { endpoints } from './endpoints.js'
import { clockTime, count, duration, replyOf } from './format.js'
import { attempt, state, toggleMessage } from './state.js'
import { timeline } from './timeline.js'

export function deliveriesSection() {
  return html`
    <section aria-labelledby="deliveries-title">
      <div class="bar"><h2 id="deliveries-title">Deliveries</h2></div>
      ${endpoints()}
      ${
        state.messages.length === 0
          ? html`<p class="empty">Nothing was sent yet. Whatever changes in the directory is, at once.</p>`
          : html`<ol class="messages" aria-label="Messages, the newest first">${repeat(state.messages, ({ id }) => id, messageItem)}</ol>`
      }
    </section>`
}

function messageItem(message) {
  const { id, type, what, createdAtMs, deliveries } = message
  const isOpen = state.open.has(id)
  const about = `${shortType(type)}, ${what}`
  const act = (action, done) => attempt(() => ask('POST', `/messages/${id}/${action}`), done)
  return html`
    <li class="sheet pad">
      <div class="bar">
        <button class="fold" aria-expanded=${isOpen} aria-label="Details of ${about}" @click=${() => toggleMessage(id)}>${isOpen ? '▾' : '▸'}</button>
        <span class="what"><strong>${shortType(type)}</strong> ${what}</span>
        <time class="quiet">${clockTime(createdAtMs)}</time>
      </div>
      ${deliveries.length === 0 ? html`<p class="quiet">No endpoint wanted it.</p>` : nothing}
      ${deliveries.map((delivery) => deliveryLine(delivery, deliveries.length > 1))}
      ${
        deliveries.length === 0
          ? nothing
          : html`
            <div class="buttons">
              <button class="small" aria-label="Replay ${about}" @click=${() => act('replay', 'Sent once more.')}>Replay</button>
              <button class="small" aria-label="Duplicate ${about}" @click=${() => act('duplicate', 'Sent three times at once.')}>Duplicate</button>
              <button class="small" aria-label="Forge ${about}" @click=${() => act('forge', 'Sent with a wrong signature.')}>Forge</button>
            </div>`
      }
      ${isOpen ? messageDetail(state.details.get(id)) : nothing}
    </li>`
}

function deliveryLine(delivery, hasOthers) {
  const { state: deliveryState, attempts, nextAttemptAtMs, url } = delivery
  const last = attempts.at(-1)
  return html`
    <div class="delivery">
      <div class="bar">
        <span class="state ${stateClass[deliveryState]}">${deliveryState}</span>
        ${last ? html`<span>${last.trigger === 'schedule' ? '' : `${last.trigger}: `}${replyOf(last)}</span>` : nothing}
        <span class="quiet">${count(attempts.length, 'attempt')}${
          nextAttemptAtMs === undefined
            ? nothing
            : html`, the next at <time>${clockTime(nextAttemptAtMs)}</time> (in ${duration(Math.max(nextAttemptAtMs - state.simulator.clock.nowMs, 0) / 1000)})`
        }</span>
        ${hasOthers ? html`<code class="quiet">${url}</code>` : nothing}
      </div>
      ${timeline(delivery)}
    </div>`
}

const stateClass = { delivered: 'on', pending: 'wait', failed: 'bad', dropped: 'off' }

function messageDetail(detail) {
  if (!detail) return html`<p class="quiet">Loading…</p>`
  return html`
    <p class="quiet"><code>${detail.id}</code></p>
    ${detail.deliveries.map(
      ({ url, attempts }) => html`
        <h4><code>${url}</code></h4>
        ${attempts.length === 0 ? html`<p class="quiet">No attempt yet.</p>` : attemptTable(attempts)}`,
    )}
    <details><summary>Body</summary><pre tabindex="0">${JSON.stringify(detail.event, null, 2)}</pre></details>`
}

function attemptTable(attempts) {
  return html`
    <div class="table" role="region" aria-label="Attempts" tabindex="0">
      <table>
        <thead><tr><th scope="col">Attempt</th><th scope="col">At</th><th scope="col">Took</th><th scope="col">Answer</th></tr></thead>
        <tbody>
          ${attempts.map(
            (one) => html`
              <tr>
                <td>${one.trigger === 'schedule' ? one.number : one.trigger}</td>
                <td><time>${clockTime(one.startedAtMs)}</time></td>
                <td class="time">${Math.round(one.durationMs)} ms</td>
                <td>
                  ${replyOf(one)}
                  ${one.faults.length > 0 ? html`<span class="quiet">made faulty: ${one.faults.join(', ')}</span>` : nothing}
                  <details>
                    <summary>Headers and body</summary>
                    <pre tabindex="0">${headerLines(one.requestHeaders)}</pre>
                    ${one.responseHeaders ? html`<pre tabindex="0">${headerLines(one.responseHeaders)}\n\n${one.responseBody}</pre>` : nothing}
                  </details>
                </td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`
}

function headerLines(headers) {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

function shortType(type) {
  return type.replace(/^organization\.(directory\.)?/, '').replaceAll('_', ' ')
}
