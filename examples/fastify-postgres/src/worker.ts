import pino from 'pino'
import { InvalidEnvironment, readWorkerConfig } from './config.ts'
import { openDirectoryWorker } from './directory-worker.ts'
import { withoutPersonalData } from './log.ts'

// `npm run worker` runs the directory sync as a separate process.

const config = configOrExit()
const log = pino({ level: config.logLevel, serializers: withoutPersonalData })
const worker = await openDirectoryWorker(config, log)
worker.sync.start()
log.info(config.syncSchedule, 'the sync is running')

let isStopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // A second signal ends the process immediately.
    if (isStopping) process.exit(1)
    isStopping = true
    void worker.close().then(() => log.info('stopped'))
  })
}

function configOrExit() {
  try {
    return readWorkerConfig(process.env)
  } catch (error) {
    if (!(error instanceof InvalidEnvironment)) throw error
    console.error(error.message)
    process.exit(1)
  }
}
