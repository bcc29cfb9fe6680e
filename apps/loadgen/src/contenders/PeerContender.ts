/** A peer's design, and raw `node:http`, as contenders: a process each. */
import { makeEventId } from "@onsale/contracts/Ids"
import { Clock, Effect, Option } from "effect"
import * as Forked from "../Forked.ts"
import * as Control from "../peers/Control.ts"
import type { Design } from "../peers/Designs.ts"
import type { PostgresServer } from "../PostgresServer.ts"
import type { RedisServer } from "../RedisServer.ts"
import type { Contender, OnSale } from "./Contender.ts"

const host = "127.0.0.1"
const unknown = Effect.succeed(undefined)

/** Puts an event on sale in a process; each has another number. */
const opener = (forked: Forked.Forked) => {
  let event = 0
  return Effect.fnUntraced(function* (seats: number, capacity: number) {
    const open = Control.Open.make({
      eventId: makeEventId(yield* Clock.currentTimeMillis),
      event: ++event,
      seats,
      capacity
    })
    yield* forked.ask(open, Control.Done).pipe(Effect.orDie)
    return open
  })
}

const rest = (forked: Forked.Forked) =>
  forked.ask(Control.Rest.make({}), Control.Done).pipe(Effect.orDie, Effect.asVoid)

export interface PeerOptions {
  /** Connections to Postgres. */
  readonly pool: number
  readonly untuned: boolean
}

/** Starts the process of a design. */
export const peer = Effect.fn("PeerContender.peer")(function* (
  name: string,
  design: Design,
  { pool, untuned }: PeerOptions,
  server: PostgresServer,
  redis: Option.Option<RedisServer>
) {
  const database = `bench_${name.replaceAll("-", "_")}`
  const url = yield* server.database(database)
  const { forked, ready } = yield* Forked.start(
    new URL("../peers/PeerMain.ts", import.meta.url),
    [
      "--design",
      name,
      "--database",
      url,
      "--pool",
      String(pool),
      ...(untuned ? ["--untuned"] : []),
      ...(design.needsRedis && Option.isSome(redis) ? ["--redis", redis.value.url] : [])
    ],
    Control.Ready
  )
  const open = opener(forked)
  const contender: Contender = {
    name,
    label: `${design.label} (${pool} connections)`,
    seenIn: design.seenIn,
    kind: design.naive ? "naive" : "peer",
    trustsRedis: design.needsRedis,
    host,
    port: ready.port,
    pid: forked.pid,
    database,
    open: (seats, capacity) =>
      Effect.map(open(seats, capacity), ({ eventId, event }): OnSale => {
        const { places, seats } = design
        return {
          eventId,
          seatClaims: seats === undefined ? unknown : server.query(url, (sql) => seats.claims(sql, event)),
          placeClaims: places === undefined ? unknown : server.query(url, (sql) => places.claims(sql, event))
        }
      }),
    rest: rest(forked)
  }
  return contender
})

/** The limit of any server on this HTTP layer. */
export const rawHttp = Effect.fn("PeerContender.rawHttp")(function* () {
  const { forked, ready } = yield* Forked.start(
    new URL("../peers/RawHttp.ts", import.meta.url),
    [],
    Control.Ready
  )
  const open = opener(forked)
  const contender: Contender = {
    name: "raw-http",
    label: "limit: raw node:http, the same request parsed and the same bytes answered, nothing kept",
    seenIn: "",
    kind: "limit",
    trustsRedis: false,
    host,
    port: ready.port,
    pid: forked.pid,
    database: undefined,
    open: (seats, capacity) =>
      Effect.map(
        open(seats, capacity),
        ({ eventId }): OnSale => ({ eventId, seatClaims: unknown, placeClaims: unknown })
      ),
    rest: rest(forked)
  }
  return contender
})
