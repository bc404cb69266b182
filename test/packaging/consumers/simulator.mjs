import { createSimulator } from '@scalekit-scim/simulator'

const simulator = await createSimulator()
const answers = []
for (const path of [
  '/',
  '/console/console.js',
  '/console/lit-html/lit-html.js',
  '/console/api/state',
  '/keys',
]) {
  answers.push((await fetch(simulator.url + path)).status)
}
await simulator.close()
console.log(answers.join(' '))
