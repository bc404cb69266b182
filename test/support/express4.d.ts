/** Express 4 is installed under another name. The tests use only the parts that are the same in Express 5. */
declare module 'express4' {
  export { default } from 'express'
}
