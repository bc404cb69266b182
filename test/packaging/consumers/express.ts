import { type DirectoryUser, mapRoles, scalekitScim } from '@scalekit-scim/express'
import express from 'express'

const app = express()
const announce = (user: DirectoryUser) => console.log(`upserted ${user.id}`)
const middleware = scalekitScim({
  onUserUpserted: (event, ctx) => {
    mapRoles(event.data, { groups: { Engineering: 'editor' }, precedence: ['editor'] })
    ctx.log.debug({ occurredAt: ctx.occurredAt }, 'handled')
    announce(event.data)
  },
})
app.use(middleware)
app.post('/hooks/:env', scalekitScim({ path: false, receiver: middleware.receiver }))

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(`listening ${typeof address === 'object' && address ? address.port : address}`)
})
