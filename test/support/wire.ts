import { request } from 'node:http'
import { connect } from 'node:net'

/** An answer as it arrived over the network. */
export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: string
}

export interface WireRequest {
  method?: string
  headers: Record<string, string>
  body?: Uint8Array | string
}

/** Sends one request on its own connection. */
export function send(url: string, { method = 'POST', headers, body }: WireRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export interface RawExchange {
  text: string
  /** The number of bytes that the server let us send. */
  sentBytes: number
}

/** Writes the pieces of bytes one by one, until the server stops reading. Returns the server's answer. */
export function sendRaw(port: number, head: string, pieces: Iterable<Uint8Array>): Promise<RawExchange> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    const done = () => resolve({ text, sentBytes: socket.bytesWritten })
    socket.on('data', (chunk) => {
      text += chunk.toString()
    })
    socket.on('error', () => {})
    socket.on('close', done)
    socket.write(head)
    const iterator = pieces[Symbol.iterator]()
    const push = () => {
      for (let next = iterator.next(); !next.done; next = iterator.next()) {
        if (socket.destroyed || text !== '') return
        if (!socket.write(next.value)) return void socket.once('drain', push)
      }
    }
    push()
  })
}

/** Returns the head of a POST with the given headers. */
export function head(path: string, headers: Record<string, string>): string {
  const lines = Object.entries({ host: 'localhost', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
}
