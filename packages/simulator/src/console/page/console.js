import { html, nothing, render } from '/console/lit-html/lit-html.js'
import { ask } from './api.js'
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
  const { url, clock, variables } = state.simulator
  return html`
    <header>
      <h1>Scalekit simulator</h1>
      <p><code>${url}</code></p>
      <details>
        <summary>Variables for your application</summary>
        <pre tabindex="0">${Object.entries(variables).map(([name, value]) => `${name}=${value}\n`)}</pre>
      </details>
      <p>
        ${clock.speed === 1 ? nothing : html`<time>${clockTime(clock.nowMs)}</time>`}
        ${clock.speed === 0 ? steps() : clock.speed === 1 ? nothing : html`, ${clock.speed} times as fast`}
      </p>
      ${state.isConnected ? nothing : html`<p class="lost" role="alert">The simulator does not answer. Trying again…</p>`}
    </header>`
}

const stepSizes = [
  ['5 s', 5],
  ['5 min', 300],
  ['30 min', 1800],
  ['2 h', 7200],
  ['10 h', 36_000],
]

function steps() {
  return html`, the clock stands. Move it on by
    ${stepSizes.map(
      ([name, seconds]) =>
        html`<button class="small" @click=${() => attempt(() => ask('POST', '/clock/step', { seconds }))}>${name}</button>`,
    )}`
}

await start(draw)
