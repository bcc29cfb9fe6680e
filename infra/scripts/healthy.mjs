// Exits 0 when the role in this container is ready, for the container's health check.
//
//   node infra/scripts/healthy.mjs [port [path]]
//
// A role of the cluster is asked at its operations port. The single process has none, and is asked at its own.
// Plain JavaScript that imports nothing: it runs every few seconds beside the role.
const { ONSALE_OPERATIONS_PORT: operations = "9464", PORT: own = "3000" } = process.env
const [, , port, path = "/readyz"] = process.argv

/** Undefined where nothing listens. */
const ask = async (at) => {
  try {
    return (await fetch(`http://127.0.0.1:${at}${path}`, { signal: AbortSignal.timeout(2_500) })).ok
  } catch (error) {
    return error.cause?.code === "ECONNREFUSED" ? undefined : false
  }
}

const ready = port === undefined ? ((await ask(operations)) ?? (await ask(own))) : await ask(port)
process.exitCode = ready === true ? 0 : 1
