// All that an application may put into one file.
import { createServer } from 'node:http'
import { createReceiver } from '@scalekit-scim/core'
import { nodeBody } from '@scalekit-scim/core/adapter'
import { createDirectorySync } from '@scalekit-scim/core/sync'
import { scalekitScim as middleware } from '@scalekit-scim/express'
import { scalekitScim as plugin } from '@scalekit-scim/fastify'

const receiver = createReceiver({ onUserUpserted: (event) => console.log(`upserted ${event.data.id}`) })
middleware({ receiver })
const server = createServer(async (req, res) => {
  const { method = '', url = '', headers } = req
  const reply = await receiver.receive({ method, url, headers, body: nodeBody(req) })
  res.writeHead(reply.status, reply.headers).end(reply.body)
})
server.listen(0, '127.0.0.1', () => {
  if (typeof createDirectorySync === 'function' && typeof plugin === 'function')
    console.log(`listening ${server.address().port}`)
})
