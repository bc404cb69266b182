/** Asks the simulator. Throws an Error with what it said when it refused. */
export async function ask(method, path, body) {
  const response = await fetch(`/console/api${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const answer = response.status === 204 ? undefined : await response.json()
  if (!response.ok) throw new Error(answer?.error ?? `HTTP ${response.status}`)
  return answer
}

/** Calls `changed` whenever something did, and `connected` with whether we would hear of it. */
export function listen({ changed, connected }) {
  const stream = new EventSource('/console/api/live')
  stream.onopen = () => connected(true)
  stream.onerror = () => connected(false)
  stream.onmessage = ({ data }) => changed(JSON.parse(data))
}
