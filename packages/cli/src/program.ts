import { Command, InvalidArgumentError, Option } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { complain } from './terminal.ts'

// When a command runs, the command loads its own code. So only `simulate` needs the simulator.

const to = new Option('--to <URL>', 'the endpoint').makeOptionMandatory()
const secretOption = (description: string) => new Option('--secret <whsec_…>', description)
const secret = secretOption('the signing secret; default: SCALEKIT_WEBHOOK_SECRET')
const json = new Option('--json', 'print one JSON document on standard output')

const programHelp = `
Examples:
  scalekit-scim simulate --endpoint http://127.0.0.1:3000/webhooks/scalekit
  scalekit-scim send user_created --to http://127.0.0.1:3000/webhooks/scalekit
  scalekit-scim doctor http://127.0.0.1:3000/webhooks/scalekit

Exit codes:
  0 success · 1 a check failed, the endpoint refused, or the simulator cannot start
  2 wrong usage · 3 could not connect · 130 interrupted
`

const simulateHelp = `
Examples:
  scalekit-scim simulate --endpoint http://127.0.0.1:3000/webhooks/scalekit
  scalekit-scim simulate --port 4000 --file acme.json --speed 60
`

const sendHelp = `
Event types of directories:
  user_created, user_updated, user_deleted, group_created, group_updated,
  group_deleted, directory_enabled, directory_disabled
For other types of Scalekit, give the full name, such as organization.created.

Examples:
  scalekit-scim send user_created --to $URL --set data.email=ada@acme.example
  scalekit-scim send user_updated --to $URL --set data.active=false --id msg_1
  scalekit-scim send user_deleted --to $URL --data user.json --json
`

const replayHelp = `
Each line, or each item of a JSON array, has one of four forms: an event;
{"headers": {…}, "body": "…"}; {"request": {"headers": {…}, "body": "…"}}; or
{"id": "msg_…", "event": {…}}. The message ids do not change. Without --as-is,
replay signs each delivery again with the current time.

Examples:
  scalekit-scim replay deliveries.jsonl --to $URL
`

const doctorHelp = `
Without --write, the events have a type that no application handles. So the
application writes nothing.

Examples:
  scalekit-scim doctor http://127.0.0.1:3000/webhooks/scalekit
  scalekit-scim doctor https://staging.example.com/webhooks/scalekit --write --json
`

export function createProgram(): Command {
  const program = new Command('scalekit-scim')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', 'show this help, or the help of a command')
    .exitOverride()
    .description(
      'Sends signed directory webhooks as Scalekit does, checks webhook endpoints, and runs a local simulator.',
    )
    .version(manifest.version, '-V, --version', 'show the version')
    .addHelpText('after', programHelp)
  // The commands inherit the settings above.
  defineSimulate(program.command('simulate'))
  defineSend(program.command('send'))
  defineReplay(program.command('replay'))
  defineDoctor(program.command('doctor'))
  printErrorsWith(program, 'scalekit-scim')
  for (const command of program.commands) printErrorsWith(command, `scalekit-scim ${command.name()}`)
  return program
}

/** Prints each error in one line, with the command that shows the help. */
function printErrorsWith(command: Command, path: string): void {
  command.configureOutput({
    outputError(text) {
      const [, message = text] = /^(?:error: )?(.*?)\.?\s*$/s.exec(text) ?? []
      complain(`${message}. See ${path} --help.`)
    },
  })
}

function defineSimulate(command: Command): void {
  command
    .description(
      'Start the simulator: API, webhooks, SCIM endpoint and console on one port. Ctrl-C stops it. Needs @scalekit-scim/simulator.',
    )
    .option('--port <number>', 'the port; 0 is any free port', wholeNumber(0, 65_535), 4000)
    .option(
      '--host <address>',
      'the address to listen on; 127.0.0.1 allows only this machine',
      someText,
      '127.0.0.1',
    )
    .option('--seed <text>', 'determines ids, secrets, faults and jitter; default: new ids at each start')
    .option('--file <path>', 'stores directories, endpoints and secrets for the next start', someText)
    .option('--endpoint <URL>', 'the address for webhooks; can be repeated', collected)
    .addOption(secretOption('secret of each --endpoint; default: SCALEKIT_WEBHOOK_SECRET, or from the seed'))
    .option('--speed <factor>', 'the speed of the clock: at 60, a minute takes one second', number, 1)
    .option(
      '--rate-limit <number>',
      'API requests a minute before a ResourceExhausted answer',
      wholeNumber(1),
    )
    .option('--json', 'print the addresses and variables as one JSON document')
    .addHelpText('after', simulateHelp)
    .action(async (options) => (await import('./simulate.ts')).simulate(options))
}

function defineSend(command: Command): void {
  command
    .description('Send one signed delivery of a sample event, and show the answer.')
    .argument('<event type>', 'such as user_created, or organization.directory.user_created')
    .addOption(to)
    .addOption(secret)
    .option(
      '--set <path=value>',
      'set a field, such as data.active=false or id=evt_1; can be repeated',
      collected,
    )
    .option('--data <file>', 'a JSON object with fields of data; - is standard input')
    .option('--id <msg_…>', 'the message id; a repeated id is a duplicate')
    .option('--at <time>', 'the time of the attempt: 2026-11-23T09:00:00Z, or seconds from now such as -600')
    .addOption(json)
    .addHelpText('after', sendHelp)
    .action(async (type, options) => (await import('./send.ts')).send(type, options))
}

function defineReplay(command: Command): void {
  command
    .description('Send recorded deliveries or events again, in the order of the file.')
    .argument('<file>', 'JSON or JSON lines; - is standard input')
    .addOption(to)
    .addOption(secret)
    .option('--as-is', 'send the recorded headers unchanged; endpoints refuse signatures after 5 minutes')
    .addOption(json)
    .addHelpText('after', replayHelp)
    .action(async (file, options) => (await import('./replay.ts')).replay(file, options))
}

function defineDoctor(command: Command): void {
  command
    .description('Check a running endpoint, and report each mistake with its fix.')
    .argument('<URL>', 'the endpoint, with or without our middleware')
    .addOption(secret)
    .option('--write', 'also create test users, diruser_doctor_…, and delete these users at the end')
    .option(
      '--organization <org_…>',
      'the organization of the users that --write creates',
      someText,
      'org_doctor',
    )
    .addOption(json)
    .addHelpText('after', doctorHelp)
    .action(async (url, options) => (await import('./doctor/doctor.ts')).doctor(url, options))
}

function collected(value: string, before: string[] = []): string[] {
  return [...before, value]
}

function someText(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('The value must not be empty.')
  return text
}

function number(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError('The value must be a number, 0 or more.')
  }
  return value
}

function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= least && value <= most) return value
    const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`
    throw new InvalidArgumentError(`The value must be a whole number, ${range}.`)
  }
}
