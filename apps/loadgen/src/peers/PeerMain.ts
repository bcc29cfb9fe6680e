/** The process of a peer: `--design <name> --database <url> --pool <connections> [--redis <url>] [--untuned]`. */
import { Redis } from "ioredis"
import { parseArgs } from "node:util"
import postgres, { type Sql } from "postgres"
import * as Control from "./Control.ts"
import { type Design, designs } from "./Designs.ts"
import type { Stores } from "./Peer.ts"
import { type Sale, serve } from "./PeerServer.ts"

const { values } = parseArgs({
  options: {
    design: { type: "string", default: "" },
    database: { type: "string", default: "" },
    pool: { type: "string", default: "16" },
    redis: { type: "string" },
    untuned: { type: "boolean", default: false }
  }
})
const found: Design | undefined = designs[values.design]
if (found === undefined) throw new Error(`there is no design ${values.design}`)
const design = found
const pool = Number(values.pool)

/**
 * Plans are made once a connection and not at each statement, and walk the indices, though the tables are
 * empty when they are made and a limit is a parameter. Few set these; they save the peers a third.
 */
const tuned = { plan_cache_mode: "force_generic_plan", enable_seqscan: "off", enable_bitmapscan: "off" }

const connect = (): Sql =>
  postgres(values.database, {
    max: pool,
    onnotice: () => {},
    connection: values.untuned ? {} : tuned
  })
const redis = values.redis === undefined ? undefined : new Redis(values.redis)

/** All connections are open before the first buyer comes. */
const prime = (sql: Sql) => Promise.all(Array.from({ length: pool }, () => sql`SELECT pg_sleep(0.05)`))

const refuse = () => false
let sale: Sale | undefined
let stores: Stores = { sql: connect(), redis }
for (const keeper of [design.seats, design.places]) await keeper?.create(stores)
await stores.sql.end()

const server = await serve(() => sale)
Control.serve(server.port, {
  open: async (event) => {
    stores = { sql: connect(), redis }
    if (event.seats > 0) await design.seats?.open(stores, event)
    if (event.capacity > 0) await design.places?.open(stores, event)
    await prime(stores.sql)
    sale = {
      eventId: event.eventId,
      event: event.event,
      holdSeats: design.seats?.hold(stores) ?? refuse,
      holdPlaces: design.places?.hold(stores) ?? refuse
    }
  },
  rest: async () => {
    sale = undefined
    await stores.sql.end()
  }
})
