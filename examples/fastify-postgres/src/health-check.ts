// The container's HEALTHCHECK runs this file, because the image has no curl. Exits with 1 if `/health` does not answer.
const { ok } = await fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/health`)
process.exit(ok ? 0 : 1)
