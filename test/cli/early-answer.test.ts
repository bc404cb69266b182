import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { exchange } from '../../packages/cli/src/exchange.ts'

// The server runs in its own process, so that it can close the connection while the client writes.
const server = `
require('node:http')
  .createServer((request, response) => response.writeHead(413, { connection: 'close' }).end())
  .listen(0, '127.0.0.1', function () { console.log(this.address().port) })
`

test('the answer to a body that is refused by its length is not lost in the reset of the connection', async () => {
  const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [port] = await once(child.stdout, 'data')
    const url = new URL(`http://127.0.0.1:${Number(port)}/`)
    const request = { method: 'POST', headers: {}, body: Buffer.alloc(2_000_000) }
    // The reset rarely happens between two writes, so the test tries many times.
    for (let tries = 0; tries < 50; tries++) {
      expect(await exchange(url, request)).toMatchObject({ kind: 'answer', status: 413 })
    }
  } finally {
    child.kill()
  }
})
