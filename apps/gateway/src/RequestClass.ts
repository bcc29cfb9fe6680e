/**
 * What is refused first where there is too much: reads of what is not in memory, then those that are, then holds, and
 * only when nobody of these is let in any more, purchases. Who has a hold has waited for it, and is the sale.
 */

/** In the order in which they are refused. */
export const classes = ["cold", "reads", "holds", "orders"] as const
export type RequestClass = (typeof classes)[number]

const api = "/api/v1/"
const compat = "/compat/api/"
/** The older contracts' ways to buy. */
const compatOrders = [`${compat}v1/seats/lock`, `${compat}v1/booking/tickets/confirm`, `${compat}bookings`]

/** What a buyer asks of his own: he has it, or waits for it. */
const own = ["orders/", "holds/", "tickets/"]
/** A stadium's gates; the word of a provider about money; who watches us. */
const always = ["checkins", "webhooks/"]
const operations = new Set(["/healthz", "/readyz", "/metrics"])

/** Of an event: as much as a header of what is in memory, where it was asked for before. A list that was not may be any. */
const isUsual = (path: string): boolean => {
  if (!path.startsWith("events/")) return false
  const rest = path.indexOf("/", "events/".length)
  return rest === -1 || path.startsWith("/availability", rest)
}

/** What a stadium's gates read. */
const ofGates = /^organiser\/events\/[^/]+\/(door-bundle|checkins)$/

const ofRead = (path: string): RequestClass | undefined => {
  if (ofGates.test(path)) return undefined
  if (path.endsWith(".pdf") || path.endsWith(".ics") || path.endsWith(".pkpass")) return "cold"
  return isUsual(path) || own.some((beginning) => path.startsWith(beginning)) ? "reads" : "cold"
}

const ofWrite = (path: string): RequestClass | undefined => {
  if (path.startsWith("orders")) return "orders"
  if (path.startsWith("events/")) return "holds"
  // A plan with all its seats: work for seconds.
  if (path === "organiser/venues") return "cold"
  // What gives seats back or keeps them, what organisers rule, what somebody does not want to be sent any more.
  return ["holds/", "organiser/", "unsubscribe/"].some((beginning) => path.startsWith(beginning))
    ? undefined
    : "reads"
}

/** Most are written as the routes are. */
const otherForm = /^[^/]|[A-Z%;#]|\/\/|.\/$/

/**
 * The path as the routes know it: they take other forms too (`/API//v1/orders/;a`, `http://host/api/v1/orders`), and who
 * is of a class must not choose another by how he writes it.
 */
const pathOf = (url: string): string => {
  const query = url.indexOf("?")
  const path = query === -1 ? url : url.slice(0, query)
  if (!otherForm.test(path)) return path
  return unescaped(path.replace(/^https?:\/\/[^/]*/i, "").replace(/[;#].*$/, ""))
    .toLowerCase()
    .replaceAll(/\/{2,}/g, "/")
    .replace(/(.)\/$/, "$1")
}

const unescaped = (path: string): string => {
  try {
    return decodeURIComponent(path)
  } catch {
    // No route knows it either.
    return path
  }
}

/**
 * Of a request that the lean paths leave to the routes; undefined for what is never refused for the load, or tells for
 * itself what its calls are (`/rpc`).
 */
export const of = (method: string | undefined, url: string): RequestClass | undefined => {
  const path = pathOf(url)
  const reads = method === "GET" || method === "HEAD"
  if (path.startsWith(api)) {
    const rest = path.slice(api.length)
    if (always.some((beginning) => rest.startsWith(beginning))) return undefined
    return reads ? ofRead(rest) : ofWrite(rest)
  }
  if (operations.has(path) || path === "/rpc") return undefined
  if (reads) return "cold"
  if (compatOrders.includes(path)) return "orders"
  return path.startsWith(compat) ? "holds" : "reads"
}

/** Of a call over RPC. */
export const ofCall = (name: string): RequestClass | undefined => {
  switch (name) {
    case "CreateOrder":
    case "RefundOrder":
    case "RefundAnyOrder":
    case "TransferTicket":
    case "ReissueTicket":
      return "orders"
    case "CreateHold":
      return "holds"
    case "GetEvent":
    case "GetAvailability":
    case "WatchAvailability":
    case "GetHold":
    case "GetOrder":
    case "GetTicket":
      return "reads"
    case "GetDoorBundle":
    case "GetCheckIns":
      return undefined
    default:
      return /^(Get|List|Search)/.test(name) ? "cold" : undefined
  }
}
