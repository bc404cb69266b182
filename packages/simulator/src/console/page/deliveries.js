import { repeat } from '/console/lit-html/directives/repeat.js'
import { html, nothing } from '/console/lit-html/lit-html.js'
import { request } from './api.js'
import { endpoints } from './endpoints.js'
import { clockTime, count, duration, replyOf } from './format.js'
import { attempt, chooseMessages, maxMessages, messagesStep, nowMs, state, toggleMessage } from './state.js'
import { timeline } from './timeline.js'

export function deliveriesSection() {
  const { items } = state.messages
  return html`
    <section aria-labelledby="deliveries-title">
      <div class="bar">
        <h2 id="deliveries-title">Deliveries</h2>
        <label class="end choice">
          <input type="checkbox" .checked=${state.onlyUndelivered}
            @change=${(event) => chooseMessages({ onlyUndelivered: event.target.checked, shownMessages: messagesStep })}>
          Only undelivered messages
        </label>
      </div>
      ${endpoints()}
      ${
        items.length === 0
          ? html`<p class="empty">${
              state.onlyUndelivered
                ? 'All messages are delivered.'
                : 'No messages yet. Each change in the directory sends a message: add a user.'
            }</p>`
          : html`<ol class="messages" aria-label="Messages, newest first">${repeat(items, ({ id }) => id, messageItem)}</ol>`
      }
      ${more()}
    </section>`
}

function more() {
  const { items, count: total } = state.messages
  if (total <= items.length) return nothing
  const { shownMessages } = state
  return html`
    <div class="bar">
      <span class="quiet">Newest ${items.length} of ${count(total, 'message')}.</span>
      ${
        shownMessages < maxMessages
          ? html`<button @click=${() => chooseMessages({ shownMessages: shownMessages + messagesStep })}>Show ${messagesStep} more</button>`
          : nothing
      }
    </div>`
}

function messageItem(message) {
  const { id, type, what, customer, createdAtMs, deliveries } = message
  const isOpen = state.open.has(id)
  const about = `${shortType(type)}, ${what}`
  const act = (action, done) => attempt(() => request('POST', `/messages/${id}/${action}`), done)
  return html`
    <li class="sheet pad">
      <div class="bar">
        <div class="title">
          <button class="fold" aria-expanded=${isOpen} aria-label="Details of ${about}" @click=${() => toggleMessage(id)}>${isOpen ? '▾' : '▸'}</button>
          <span class="what"><strong>${shortType(type)}</strong> ${what}${
            customer && state.simulator.organizations.length > 1
              ? html`<span class="quiet"> · ${customer}</span>`
              : nothing
          }</span>
        </div>
        ${
          deliveries.length === 0
            ? nothing
            : html`
              <div class="buttons">
                <button class="small" title="Send the message again" aria-label="Replay ${about}" @click=${() => act('replay', 'Sent again.')}>Replay</button>
                <button class="small" title="Send three copies at the same time" aria-label="Duplicate ${about}" @click=${() => act('duplicate', 'Sent three copies.')}>Duplicate</button>
                <button class="small" title="Send the message with a wrong signature" aria-label="Forge ${about}" @click=${() => act('forge', 'Sent with a wrong signature.')}>Forge</button>
              </div>`
        }
      </div>
      ${deliveries.length === 0 ? html`<div class="bar quiet">No endpoint receives this type. ${sentAt(createdAtMs)}</div>` : nothing}
      ${deliveries.map((delivery, index) => deliveryLine(delivery, deliveries.length > 1, index === 0 ? sentAt(createdAtMs) : nothing))}
      ${isOpen ? messageDetail(state.details.get(id)) : nothing}
    </li>`
}

function sentAt(createdAtMs) {
  return html`<time class="quiet end">${clockTime(createdAtMs)}</time>`
}

function deliveryLine(delivery, hasOthers, sent) {
  const { state: deliveryState, givenUp, attempts, attemptsUnderWay, nextAttemptAtMs, url } = delivery
  const last = attempts.at(-1)
  return html`
    <div class="delivery">
      <div class="bar">
        <span class="state ${stateClass[deliveryState]}">${deliveryState}</span>
        ${last ? html`<span>${last.trigger === 'schedule' ? '' : `${last.trigger}: `}${replyOf(last)}</span>` : nothing}
        ${givenUp === undefined ? nothing : html`<span>stopped: ${givenUp}</span>`}
        <span class="quiet">${attemptsUnderWay > 0 ? 'sending, ' : nothing}${count(attempts.length, 'attempt')}${
          nextAttemptAtMs === undefined
            ? nothing
            : html`, next at <time>${clockTime(nextAttemptAtMs)}</time> (in ${duration(Math.max(nextAttemptAtMs - nowMs(), 0) / 1000)})`
        }</span>
        ${hasOthers ? html`<code class="quiet">${url}</code>` : nothing}
        ${sent}
      </div>
      ${attempts.length > 1 || nextAttemptAtMs !== undefined ? timeline(delivery) : nothing}
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
        <thead><tr><th scope="col">Attempt</th><th scope="col">Time</th><th scope="col">Duration</th><th scope="col">Response</th></tr></thead>
        <tbody>
          ${attempts.map(
            (one) => html`
              <tr>
                <td>${one.trigger === 'schedule' ? one.number : one.trigger}</td>
                <td><time>${clockTime(one.startedAtMs)}</time></td>
                <td class="time">${Math.round(one.durationMs)} ms</td>
                <td>
                  ${replyOf(one)}
                  ${faultsOf(one)}
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

/** Omits `forge`, because the trigger of the attempt already shows it. */
function faultsOf({ faults }) {
  const others = faults.filter((fault) => fault !== 'forge')
  return others.length > 0 ? html`<span class="quiet">injected faults: ${others.join(', ')}</span>` : nothing
}

function headerLines(headers) {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n')
}

function shortType(type) {
  return type.replace(/^organization\.(directory\.)?/, '').replaceAll('_', ' ')
}
