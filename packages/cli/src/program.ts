import { Command, InvalidArgumentError, Option } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { complain } from './terminal.ts'

// The code of a command is loaded when it runs. So only `simulate` needs the simulator, and `--help` needs none of it.

type Exit = (exitCode: number) => void

const secretOption = (
  description = 'the signing secret; without it SCALEKIT_WEBHOOK_SECRET from the environment',
) => new Option('--secret <whsec_…>', description)
const jsonOption = () => new Option('--json', 'one JSON document on standard output, and nothing else')

export function createProgram(exit: Exit): Command {
  const program = configured(new Command('scalekit-scim'), '')
    .helpCommand('help [command]', 'show this, or the help of a command')
    .description(
      'Sends signed directory webhooks as Scalekit does, checks webhook endpoints, and runs a local simulator.',
    )
    .version(manifest.version, '-V, --version', 'show the version')
    .addHelpText(
      'after',
      `${examples(
        'scalekit-scim simulate --endpoint http://127.0.0.1:3000/webhooks/scalekit',
        'scalekit-scim send user_created --to http://127.0.0.1:3000/webhooks/scalekit',
        'scalekit-scim doctor http://127.0.0.1:3000/webhooks/scalekit',
      )}
Exit codes:
  0 good · 1 a check failed, the endpoint refused, or the simulator cannot start
  2 wrong usage · 3 could not connect · 130 interrupted
`,
    )
  for (const command of [
    simulateCommand(exit),
    sendCommand(exit),
    replayCommand(exit),
    doctorCommand(exit),
  ]) {
    program.addCommand(configured(command, ` ${command.name()}`))
  }
  return program
}

/** Errors in one line that names the help, and an exit of our own. */
function configured(command: Command, path: string): Command {
  return command
    .helpOption('-h, --help', 'show this')
    .exitOverride()
    .configureOutput({
      outputError: (text) =>
        complain(
          `${text
            .trim()
            .replace(/^error: /, '')
            .replace(/\.$/, '')}. See scalekit-scim${path} --help.`,
        ),
    })
}

function simulateCommand(exit: Exit): Command {
  return new Command('simulate')
    .description(
      'Start the simulator: API, webhooks, SCIM endpoint and console on one port. Ctrl-C stops it. Needs @scalekit-scim/simulator.',
    )
    .option('--port <number>', 'where it listens; 0 is any free port', wholeNumber(0, 65_535), 4000)
    .option(
      '--host <address>',
      'the address it listens on; others than 127.0.0.1 let other machines in',
      someText,
      '127.0.0.1',
    )
    .option('--seed <text>', 'decides ids, secrets, faults and jitter; without it ids are new at each start')
    .option('--file <path>', 'keeps directories, endpoints and secrets over restarts', someText)
    .option('--endpoint <URL>', 'where webhooks go; may be given several times', collected)
    .addOption(
      secretOption(
        'signs for what --endpoint names; without it SCALEKIT_WEBHOOK_SECRET from the environment, else secrets of the seed',
      ),
    )
    .option(
      '--speed <factor>',
      'how fast its clock runs: 60 makes a minute of retries a second, and soon a receiver refuses the times',
      number,
      1,
    )
    .option('--rate-limit <number>', 'API requests a minute before it says ResourceExhausted', wholeNumber(1))
    .addOption(new Option('--json', 'its addresses and variables as one JSON document, once it is up'))
    .addHelpText(
      'after',
      examples(
        'scalekit-scim simulate --endpoint http://127.0.0.1:3000/webhooks/scalekit',
        'scalekit-scim simulate --port 4000 --file acme.json --speed 60',
      ),
    )
    .action(async (options) => exit(await (await import('./simulate.ts')).simulate(options)))
}

function sendCommand(exit: Exit): Command {
  return new Command('send')
    .description('Send one signed delivery of a sample event, and show the answer.')
    .argument('<event type>', 'such as user_created, or organization.directory.user_created')
    .requiredOption('--to <URL>', 'the endpoint')
    .addOption(secretOption())
    .option(
      '--set <path=value>',
      'a field: any in data, such as data.active=false, as JSON or text; or id, occurred_at and so on; may be given several times',
      collected,
    )
    .option('--data <file>', 'a JSON object of fields for data; - is standard input')
    .option('--id <msg_…>', 'the message id: the same one again is a duplicate')
    .option('--at <time>', 'the attempt’s time: 2026-11-23T09:00:00Z, or seconds from now such as -600')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Event types of directories:
  user_created, user_updated, user_deleted, group_created, group_updated,
  group_deleted, directory_enabled, directory_disabled
Any other of Scalekit's goes by its whole name, such as organization.created.
${examples(
  'scalekit-scim send user_created --to $URL --set data.email=ada@acme.example',
  'scalekit-scim send user_updated --to $URL --set data.active=false --id msg_1',
  'scalekit-scim send user_deleted --to $URL --data user.json --json',
)}`,
    )
    .action(async (type, options) => exit(await (await import('./send.ts')).send(type, options)))
}

function replayCommand(exit: Exit): Command {
  return new Command('replay')
    .description('Send recorded deliveries or events again, in their order.')
    .argument('<file>', 'JSON or JSON lines; - is standard input')
    .requiredOption('--to <URL>', 'the endpoint')
    .addOption(secretOption())
    .option(
      '--as-is',
      'with the recorded headers, not signed anew: an endpoint refuses what is older than 5 minutes',
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
A line, or an item of a JSON array, is an event; or {"headers": {…}, "body": "…"};
or that under "request"; or {"id": "msg_…", "event": {…}}. Message ids are kept,
and without --as-is each is signed anew, with the time of now.
${examples('scalekit-scim replay deliveries.jsonl --to $URL')}`,
    )
    .action(async (file, options) => exit(await (await import('./replay.ts')).replay(file, options)))
}

function doctorCommand(exit: Exit): Command {
  return new Command('doctor')
    .description('Probe a running endpoint, and say what is wrong and how to fix it.')
    .argument('<URL>', 'the endpoint, of whatever make')
    .addOption(secretOption())
    .option('--write', 'also create a marked user, diruser_doctor_…, and delete it again')
    .option('--organization <org_…>', 'with --write: whose directory the user is in', someText, 'org_doctor')
    .addOption(jsonOption())
    .addHelpText(
      'after',
      `
Without --write the events are of a type that no application handles, so that
nothing is written.
${examples(
  'scalekit-scim doctor http://127.0.0.1:3000/webhooks/scalekit',
  'scalekit-scim doctor https://staging.example.com/webhooks/scalekit --write --json',
)}`,
    )
    .action(async (address, options) =>
      exit(await (await import('./doctor/doctor.ts')).doctor(address, options)),
    )
}

function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`
}

function collected(value: string, before: string[] = []): string[] {
  return [...before, value]
}

function someText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('It must not be empty.')
  return text
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('It must be a number, 0 or more.')
  }
  return value
}

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`
    throw new InvalidArgumentError(`It must be a whole number, ${range}.`)
  }
}
