/** Express 4 is installed beside 5 under another name; what the tests use of the two is alike. */
declare module 'express4' {
  export { default } from 'express'
}
