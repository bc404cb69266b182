import scalekitScim, { type DirectoryUser, mapRoles } from '@scalekit-scim/fastify'
import fastify from 'fastify'

const app = fastify()
const announce = (user: DirectoryUser) => console.log(`upserted ${user.id}`)
await app.register(scalekitScim, {
  onUserUpserted: (event, ctx) => {
    mapRoles(event.data, { groups: { Engineering: 'editor' }, precedence: ['editor'] })
    ctx.log.debug({ occurredAt: ctx.occurredAt }, 'handled')
    announce(event.data)
  },
})
await app.listen({ port: 0, host: '127.0.0.1' })
const address = app.server.address()
console.log(`listening ${typeof address === 'object' && address ? address.port : address}`)
console.log(`guarantee ${app.scalekitScim.guarantee.message}`)
