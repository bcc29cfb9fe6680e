/**
 * The same plain `node:http` for every peer: it reads a JSON body, asks the design, and answers what our
 * own service would, with about the same bytes.
 *
 * `POST /api/v1/events/{eventId}/holds` with `{"seats": [seatId]}` or `{"areas": [{areaId, quantity}]}`.
 */
import { type EventId, indexIn } from "@onsale/contracts/Ids"
import { randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { HoldPlaces, HoldSeats, Won } from "./Peer.ts"

/** What is on sale, and how. */
export interface Sale {
  readonly eventId: EventId
  /** Its number in the tables. */
  readonly event: number
  readonly holdSeats: HoldSeats
  readonly holdPlaces: HoldPlaces
}

export interface PeerServer {
  readonly port: number
  readonly close: () => Promise<void>
}

const tier = "01900000-0000-7000-8000-000000000000"
const expiresAt = "2030-01-01T00:00:00.000Z"
const correlation = "01900000-0000-7000-8000-000000000000"
const json = "application/json"
const problem = "application/problem+json"

const seatEntry = (id: string) =>
  `{"seatId":"${id}","label":"Stalls · 1 · 1","tier":"${tier}","price":{"amount":4500,"currency":"EUR"}}`
const held = (hold: string, eventId: string, seats: string, areas: string, quantity: number) =>
  `{"id":"${hold}","eventId":"${eventId}","seats":[${seats}],"areas":[${areas}],"total":{"amount":${quantity * 4500},"currency":"EUR"},"expiresAt":"${expiresAt}","version":1}`
const taken = (seats: ReadonlyArray<string>, areaId: string) =>
  `{"seats":[${seats.map((id) => `{"seatId":"${id}"}`).join(",")}],"areas":[${areaId === "" ? "" : `{"areaId":"${areaId}"}`}],"type":"urn:onsale:problem:seats-taken","status":409,"title":"Somebody else has these seats"}`

const reply = (response: ServerResponse, status: number, type: string, body: string): void => {
  response.writeHead(status, {
    "content-type": type,
    "content-length": Buffer.byteLength(body),
    "x-correlation-id": correlation
  })
  response.end(body)
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null
const isText = (value: unknown): value is string => typeof value === "string"

/** The claim of a body, or undefined where it is none. */
const claimOf = (text: string) => {
  const body: unknown = JSON.parse(text)
  if (!isRecord(body)) return undefined
  const { seats, areas } = body
  if (Array.isArray(seats) && seats.every(isText)) return { seats, quantity: 0, areaId: "" }
  const area: unknown = Array.isArray(areas) ? areas[0] : undefined
  return isRecord(area) && isText(area["areaId"]) && Number.isInteger(area["quantity"])
    ? { seats: [], quantity: Number(area["quantity"]), areaId: area["areaId"] }
    : undefined
}

const prefix = "/api/v1/events/"

const handle = (sale: Sale | undefined, text: string, url: string, response: ServerResponse): void => {
  const claim = claimOf(text)
  if (claim === undefined) return reply(response, 400, problem, `{"status":400}`)
  const eventId = url.slice(prefix.length, prefix.length + 36)
  if (sale === undefined || eventId !== sale.eventId) return reply(response, 404, problem, `{"status":404}`)
  const hold = randomUUID()
  let won: Won
  if (claim.seats.length > 0) {
    const seats = claim.seats.map((id) => indexIn(sale.eventId, "seat", id)).sort((a, b) => a - b)
    if (seats[0] === -1) return reply(response, 404, problem, `{"status":404}`)
    won = sale.holdSeats(sale.event, hold, seats)
  } else won = sale.holdPlaces(sale.event, hold, claim.quantity)
  const answer = (won: boolean): void => {
    if (!won) return reply(response, 409, problem, taken(claim.seats, claim.areaId))
    const area = `{"areaId":"${claim.areaId}","name":"Standing","quantity":${claim.quantity},"tier":"${tier}","price":{"amount":4500,"currency":"EUR"}}`
    reply(
      response,
      201,
      json,
      claim.seats.length > 0
        ? held(hold, eventId, claim.seats.map(seatEntry).join(","), "", claim.seats.length)
        : held(hold, eventId, "", area, claim.quantity)
    )
  }
  if (typeof won === "boolean") return answer(won)
  won.then(answer, (cause: unknown) =>
    reply(response, 503, problem, `{"status":503,"detail":"${String(cause)}"}`)
  )
}

const read = (request: IncomingMessage, done: (text: string) => void): void => {
  let text = ""
  request.setEncoding("utf8")
  request.on("data", (chunk: string) => {
    text += chunk
  })
  request.on("end", () => done(text))
}

/** Serves on a free port of 127.0.0.1. `sale` is asked at each request. */
export const serve = (sale: () => Sale | undefined): Promise<PeerServer> =>
  new Promise((resolve, reject) => {
    const server = createServer((request, response) =>
      read(request, (text) => {
        try {
          handle(sale(), text, request.url ?? "", response)
        } catch {
          reply(response, 400, problem, `{"status":400}`)
        }
      })
    )
    // The clients keep their connections over a whole run.
    server.keepAliveTimeout = 60_000
    server.once("error", reject)
    server.listen(0, "127.0.0.1", 1024, () => {
      const address = server.address()
      resolve({
        port: typeof address === "object" && address !== null ? address.port : 0,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed())
            server.closeAllConnections()
          })
      })
    })
  })
