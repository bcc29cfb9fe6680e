/** A viewer of server-sent events over a plain socket, that reads only as long as it is told to. */
import { Effect } from "effect"
import { connect, type Socket } from "node:net"
import { createGunzip } from "node:zlib"

export interface StreamEvent {
  readonly event: string
  readonly id: string
  readonly data: string
}

export interface EventStreamClient {
  readonly socket: Socket
  /** Of the answer's head; 0 before it has come. */
  readonly status: () => number
  /** Names in lower case. */
  readonly headers: () => Readonly<Record<string, string>>
  readonly events: ReadonlyArray<StreamEvent>
  /** All that came behind the head, as it came. */
  readonly body: () => string
  readonly comments: () => number
  readonly retries: ReadonlyArray<number>
  readonly ended: () => boolean
}

export interface StreamRequest {
  readonly method?: string
  readonly lastEventId?: string
  /** Reads nothing until `socket.resume()`. */
  readonly paused?: boolean
  readonly http?: "1.0" | "1.1"
  readonly gzip?: boolean
}

const blockOf = (block: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    block.split("\n").map((line) => {
      const colon = line.indexOf(":")
      return [line.slice(0, colon), line.slice(colon + 1).trimStart()]
    })
  )

/** One viewer, for as long as the scope. */
export const make = Effect.fnUntraced(function* (port: number, path: string, options: StreamRequest = {}) {
  const socket = yield* Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const made = connect({ host: "127.0.0.1", port, noDelay: true }, () => resume(Effect.succeed(made)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )
  let [head, body, rest] = ["", "", ""]
  let over = false
  let comments = 0
  const events: Array<StreamEvent> = []
  const retries: Array<number> = []
  const take = (block: string): void => {
    if (block.startsWith(":")) {
      comments++
      return
    }
    const { data = "", event = "", id = "", retry } = blockOf(block)
    if (retry === undefined) events.push({ data, event, id })
    else retries.push(Number(retry))
  }
  const gunzip = createGunzip()
  let inBody = false
  const read = (chunk: Buffer): void => {
    rest += chunk.toString("latin1")
    if (head === "") {
      const end = rest.indexOf("\r\n\r\n")
      if (end === -1) return
      head = rest.slice(0, end)
      rest = rest.slice(end + 4)
      body = rest
    } else {
      body += chunk.toString("latin1")
    }
    const blocks = rest.split("\n\n")
    rest = blocks.pop() ?? ""
    blocks.forEach(take)
  }
  gunzip.on("data", read).on("error", () => {})
  socket.on("data", (chunk: Buffer) => {
    if (options.gzip !== true) return read(chunk)
    const end = inBody ? -4 : chunk.indexOf("\r\n\r\n")
    if (!inBody) read(chunk.subarray(0, end + 4))
    inBody = true
    gunzip.write(chunk.subarray(end + 4))
  })
  const end = () => {
    over = true
  }
  socket.on("close", end).on("end", end).on("error", end)
  if (options.paused === true) socket.pause()
  socket.write(
    [
      `${options.method ?? "GET"} ${path} HTTP/${options.http ?? "1.1"}`,
      "host: localhost",
      ...(options.gzip === true ? ["accept-encoding: gzip, deflate, br"] : []),
      ...(options.lastEventId === undefined ? [] : [`last-event-id: ${options.lastEventId}`]),
      "\r\n"
    ].join("\r\n")
  )
  const client: EventStreamClient = {
    socket,
    status: () => Number(head.split(" ")[1] ?? 0),
    headers: () =>
      Object.fromEntries(
        head
          .split("\r\n")
          .slice(1)
          .map((line) => [
            line.slice(0, line.indexOf(":")).toLowerCase(),
            line.slice(line.indexOf(":") + 1).trim()
          ])
      ),
    events,
    body: () => body,
    comments: () => comments,
    retries,
    ended: () => over
  }
  return client
})

interface Shown {
  readonly seats: unknown
  readonly unavailable: Readonly<Record<string, string>>
  readonly areas: Readonly<Record<string, unknown>>
  readonly tiers: Readonly<Record<string, unknown>>
}

/** What a client knows that has read these events, as the API's documentation says; without the version. */
export const shown = (events: ReadonlyArray<Pick<StreamEvent, "data" | "event">>): Shown => {
  let state: Shown = { seats: {}, unavailable: {}, areas: {}, tiers: {} }
  for (const { data, event } of events) {
    // It replaces nothing.
    if (event === "stale") continue
    const told = JSON.parse(data)
    if (event === "snapshot") {
      const { areas, seats, tiers, unavailable } = told
      state = { areas, seats, tiers, unavailable }
      continue
    }
    const unavailable: Record<string, string> = { ...state.unavailable, ...told.seats }
    for (const [seat, status] of Object.entries(told.seats))
      if (status === "available") delete unavailable[seat]
    state = {
      seats: told.totals,
      unavailable,
      areas: { ...state.areas, ...told.areas },
      tiers: { ...state.tiers, ...told.tiers }
    }
  }
  return state
}
