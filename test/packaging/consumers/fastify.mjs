import { scalekitScim } from '@scalekit-scim/fastify'
import fastify from 'fastify'

const app = fastify()
await app.register(scalekitScim, { onUserUpserted: (event) => console.log(`upserted ${event.data.id}`) })
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(`listening ${app.addresses()[0].port}`)
