// Prints the file of every module that is loaded for one import or require.
import { createRequire, registerHooks } from 'node:module'

const [how, name] = process.argv.slice(2)
const loaded = []
registerHooks({
  load(url, context, nextLoad) {
    loaded.push(url)
    return nextLoad(url, context)
  },
})
if (how === 'require') createRequire(import.meta.url)(name)
else await import(name)
console.log(JSON.stringify(loaded))
