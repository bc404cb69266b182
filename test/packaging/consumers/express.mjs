import { scalekitScim } from '@scalekit-scim/express'
import express from 'express'

const app = express()
app.use(scalekitScim({ onUserUpserted: (event) => console.log(`upserted ${event.data.id}`) }))
const server = app.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`))
