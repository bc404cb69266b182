const fastify = require('fastify')

const app = fastify()
app.register(require('@scalekit-scim/fastify'), {
  onUserUpserted: (event) => console.log(`upserted ${event.data.id}`),
})
app.listen({ port: 0, host: '127.0.0.1' }).then(() => console.log(`listening ${app.addresses()[0].port}`))
