/**
 * Sends a request to the simulator. If the simulator refuses the request, throws an Error with the simulator's message.
 */
export async function request(method, path, body) {
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

/** Calls `changed` after each change, and `connected` when the connection opens or fails. */
export function listen({ changed, connected }) {
  const stream = new EventSource('/console/api/live')
  stream.onopen = () => connected(true)
  stream.onerror = () => connected(false)
  stream.onmessage = ({ data }) => changed(JSON.parse(data))
}
