// The container's HEALTHCHECK runs this file, because the image does not contain curl. If `/health` does not answer,
// exits with 1.
const { ok } = await fetch(`http://127.0.0.1:${process.env.PORT ?? 3000}/health`)
process.exit(ok ? 0 : 1)
