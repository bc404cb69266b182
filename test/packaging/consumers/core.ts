import { createServer } from 'node:http'
import { createReceiver } from '@scalekit-scim/core'
import { nodeBody } from '@scalekit-scim/core/adapter'

const receiver = createReceiver({ onUserUpserted: (event) => console.log(`upserted ${event.data.id}`) })
const server = createServer(async (req, res) => {
  const { method = '', url = '', headers } = req
  const reply = await receiver.receive({ method, url, headers, body: nodeBody(req) })
  res.writeHead(reply.status, reply.headers).end(reply.body)
})
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`listening ${typeof address === 'object' && address ? address.port : address}`)
})
