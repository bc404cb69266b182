// Runs random histories of webhooks until the time is over: `npm run simulate -- --help`.

import { parseArgs } from 'node:util'
import { chosenOf, commonHelp, commonOptions, simulate } from './command.ts'
import { runHistory } from './history.ts'
import { profiles, storeKinds } from './kinds.ts'
import { planOf } from './plan.ts'
import { shrink } from './shrink.ts'
import { Tally } from './tally.ts'

const help = `npm run simulate -- [options]

  --sync            run histories of the directory sync: see --sync --help
  --kinds <list>    of ${storeKinds.join(', ')}
  --profiles <list> of ${profiles.join(', ')}
${commonHelp}`

const { values } = parseArgs({
  options: {
    ...commonOptions,
    kinds: { type: 'string', default: storeKinds.join() },
    profiles: { type: 'string', default: profiles.join() },
  },
})

if (values.help) {
  console.log(help)
} else {
  const kinds = chosenOf('kinds', values.kinds, storeKinds)
  const chosenProfiles = chosenOf('profiles', values.profiles, profiles)
  process.exitCode = await simulate(values, {
    tally: new Tally(),
    plansOf: (seed) => kinds.flatMap((kind) => chosenProfiles.map((profile) => planOf(seed, kind, profile))),
    run: runHistory,
    shrink,
    optionsOf: ({ kind, profile }) => `--kinds ${kind} --profiles ${profile}`,
  })
}
