import { styleText } from 'node:util'

const hasColours = process.stdout.isTTY && !process.env.NO_COLOR

export function good(text: string): string {
  return styled('green', text)
}

export function bad(text: string): string {
  return styled('red', text)
}

export function bold(text: string): string {
  return styled('bold', text)
}

export function dim(text: string): string {
  return styled('dim', text)
}

function styled(style: 'green' | 'red' | 'bold' | 'dim', text: string): string {
  return hasColours ? styleText(style, text, { validateStream: false }) : text
}
