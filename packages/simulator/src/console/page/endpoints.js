import { html, nothing } from '/console/lit-html/lit-html.js'
import { request } from './api.js'
import { attempt, state, update } from './state.js'

export function endpoints() {
  const { endpoints: all } = state.simulator
  return html`
    <details class="sheet pad" ?open=${all.length === 0}>
      <summary>${all.length === 1 ? html`To <code>${all[0].url}</code>` : `To ${all.length} endpoints`}${faultSummary()}</summary>
      ${all.map((endpoint) => endpointItem(endpoint, all.length > 1))}
      <div class="bar"><button @click=${() => update({ form: { kind: 'endpoint' } })}>New endpoint</button></div>
      ${faultFields()}
    </details>`
}

/** Shows the URL only if there are several endpoints. The summary already shows the URL of a single endpoint. */
function endpointItem({ id, url, types, secrets }, hasOthers) {
  const rotate = () =>
    attempt(
      () => request('POST', `/endpoints/${id}/rotate-secret`),
      'The new secret signs all deliveries. The old secret also signs all deliveries of the next day.',
    )
  const remove = () =>
    update({
      form: {
        kind: 'removal',
        action: 'Remove',
        name: url,
        text: 'The endpoint does not receive more messages. Its pending messages fail.',
        path: `/endpoints/${id}`,
      },
    })
  return html`
    <div class="endpoint">
      ${hasOthers ? html`<code>${url}</code>` : nothing}
      ${types ? html`<p class="quiet">only ${types.join(', ')}</p>` : nothing}
      <details>
        <summary>Signing secret</summary>
        ${secrets.map((secret) => html`<code class="block">${secret}</code>`)}
      </details>
      <div class="buttons">
        <button class="small" aria-label="Rotate the secret of ${url}" @click=${rotate}>Rotate secret</button>
        <button class="small danger" aria-label="Remove ${url}" @click=${remove}>Remove</button>
      </div>
    </div>`
}

// ── Faults, each as a share of the messages ──

const faultNames = {
  drop: 'Drop the message',
  duplicate: 'Send three copies',
  corruptSignature: 'Corrupt the signature',
  truncate: 'Truncate the body',
  slow: 'Send slowly',
  reorder: 'Send after later messages',
}

function faultSummary() {
  const active = Object.entries(state.simulator.faults).filter(([, { share }]) => share > 0)
  if (active.length === 0) return nothing
  return html` <span class="state wait">faults: ${active.map(([name, { share }]) => `${name} ${Math.round(share * 100)} %`).join(', ')}</span>`
}

function faultFields() {
  const set = (name, percent) => attempt(() => request('PUT', '/faults', { [name]: percent / 100 }))
  return html`
    <fieldset>
      <legend>Injected faults</legend>
      ${Object.entries(faultNames).map(
        ([name, label]) => html`
          <label class="fault">${label}
            <input type="range" min="0" max="100" step="10" .value=${String(Math.round((state.simulator.faults[name]?.share ?? 0) * 100))}
              @change=${(event) => set(name, Number(event.target.value))}>
            <output>${Math.round((state.simulator.faults[name]?.share ?? 0) * 100)} %</output>
          </label>`,
      )}
    </fieldset>`
}
