import { html, nothing, render } from '/console/lit-html/lit-html.js'
import { request } from './api.js'
import { deliveriesSection } from './deliveries.js'
import { directorySection } from './directory.js'
import { clockTime } from './format.js'
import { dialog } from './forms.js'
import { attempt, start, state } from './state.js'

const root = document.getElementById('console')

function draw() {
  render(state.simulator ? page() : html`<p class="loading">Loading…</p>`, root)
  const element = root.querySelector('dialog')
  if (state.form && element && !element.open) element.showModal()
}

function page() {
  return html`
    ${header()}
    <main>
      ${directorySection()}
      ${deliveriesSection()}
    </main>
    ${state.form ? dialog(state.form) : nothing}
    <p class="notice ${state.notice?.isError ? 'error' : ''}" role="status" aria-live="polite" ?hidden=${!state.notice}>
      ${state.notice?.text ?? ''}
    </p>`
}

function header() {
  const { url, clock } = state.simulator
  return html`
    <header>
      <h1>Scalekit simulator</h1>
      <p><code>${url}</code></p>
      ${variables()}
      ${applications()}
      <p>
        ${clock.speed === 1 ? nothing : html`<time>${clockTime(clock.nowMs)}</time>`}
        ${clock.speed === 0 ? steps() : clock.speed === 1 ? nothing : html`, at ${clock.speed} times real speed`}
      </p>
      ${state.isConnected ? nothing : html`<p class="lost" role="alert">The simulator does not respond. Retrying…</p>`}
    </header>`
}

function variables() {
  const text = Object.entries(state.simulator.variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
  return html`
    <div class="variables">
      <details>
        <summary>Variables for your application</summary>
        <pre tabindex="0">${text}</pre>
      </details>
      <button class="small" aria-label="Copy the variables" @click=${() => attempt(() => copy(text), 'Copied.')}>Copy</button>
    </div>`
}

/** Copies the text. Browsers allow the clipboard only on https pages and on pages of this machine. */
function copy(text) {
  if (!navigator.clipboard)
    throw new Error('The browser does not allow copying here. Open the list, and select the lines to copy.')
  return navigator.clipboard.writeText(text)
}

function applications() {
  const origins = [...new Set(state.simulator.endpoints.map(({ url }) => new URL(url).origin))]
  if (origins.length === 0) return nothing
  return html`
    <p>
      Your application:
      ${origins.map((origin) => html`<a href=${origin} target="_blank" rel="noopener">${origin}</a> `)}
    </p>`
}

const stepSizes = [
  ['5 s', 5],
  ['5 min', 300],
  ['30 min', 1800],
  ['2 h', 7200],
  ['10 h', 36_000],
]

function steps() {
  return html`, the clock is stopped. Move the clock forward by
    ${stepSizes.map(
      ([name, seconds]) =>
        html`<button class="small" @click=${() => attempt(() => request('POST', '/clock/step', { seconds }))}>${name}</button>`,
    )}`
}

await start(draw)
