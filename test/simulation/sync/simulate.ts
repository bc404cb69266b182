// Runs random histories of the sync until the time is over: `npm run simulate -- --sync --help`.

import { parseArgs } from 'node:util'
import { chosenOf, commonHelp, commonOptions, simulate } from '../command.ts'
import { flavours } from './flavours.ts'
import { runSyncHistory } from './history.ts'
import { planOf } from './plan.ts'
import { shrinkSync } from './shrink.ts'
import { SyncTally } from './tally.ts'

const help = `npm run simulate -- --sync [options]

  --flavours <list> of ${flavours.join(', ')}
${commonHelp}`

const { values } = parseArgs({
  options: {
    ...commonOptions,
    // The launcher selects this file by the option.
    sync: { type: 'boolean' },
    flavours: { type: 'string', default: flavours.join() },
  },
})

if (values.help) {
  console.log(help)
} else {
  const chosen = chosenOf('flavours', values.flavours, flavours)
  process.exitCode = await simulate(values, {
    tally: new SyncTally(),
    plansOf: (seed) => chosen.map((flavour) => planOf(seed, flavour)),
    run: runSyncHistory,
    shrink: shrinkSync,
    optionsOf: ({ flavour }) => `--flavours ${flavour}`,
  })
}
