/**
 * `npm run bench -- tickets`: documents of tickets, drawn in one thread by the CPU it takes, and by the press as a
 * process has it. Names of several scripts take turns, since a document is as slow as its typefaces.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { arena } from "@onsale/catalog/demo/ArenaPlan"
import * as PlanOutline from "@onsale/catalog/PlanOutline"
import { makeEventId, makeUuidV7, OrderId, TicketId } from "@onsale/contracts/Ids"
import type { TicketDocument } from "@onsale/contracts/notifications/TicketDocument"
import * as SeatPlaces from "@onsale/notifications/SeatPlaces"
import { SigningKeys } from "@onsale/notifications/SigningKeys"
import { TicketCodes } from "@onsale/notifications/TicketCode"
import { render } from "@onsale/notifications/TicketPdf"
import { TicketPress } from "@onsale/notifications/TicketPress"
import { Console, Duration, Effect, FileSystem, Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { availableParallelism } from "node:os"

const atMs = Date.UTC(2026, 0, 1)
const holders = [
  "Ada Lovelace",
  "Łukasz Żółć",
  "محمد علي",
  "東京 太郎",
  "Ирина Петрова",
  "नमिता शर्मा",
  "สมชาย ใจดี",
  "김민수"
]
const sizes = [1, 2, 10]

// As the tickets of the demo's arena: a map of 8,897 seats.
const arenaPlan = PlanOutline.of(arena)
const places = arenaPlan === undefined ? undefined : SeatPlaces.make(arenaPlan)
const placeOf = (seat: number) => {
  const place = places?.of(seat * 40)
  return place === undefined ? {} : { place }
}

const documents = Effect.fnUntraced(function* (count: number, tickets: number) {
  const codes = yield* TicketCodes
  const eventId = makeEventId(atMs)
  return yield* Effect.forEach(Array.from({ length: count }).keys(), (n) =>
    Effect.map(
      Effect.forEach(Array.from({ length: tickets }).keys(), (i) => {
        const id = TicketId.make(makeUuidV7(atMs))
        return Effect.map(codes.sign({ eventId, ticketId: id, version: 1 }), (code) => ({
          id,
          label: `Block A 12-${i + 1}`,
          ...placeOf(n + i),
          tier: "Premium",
          price: { amount: 4_950, currency: "EUR" },
          code
        }))
      }),
      (made): TicketDocument => ({
        orderId: OrderId.make(makeUuidV7(atMs)),
        holder: holders[n % holders.length] ?? "",
        event: {
          name: "Midnight Symphony",
          startsAt: "2026-12-24T19:30:00Z",
          timeZone: "Europe/Berlin",
          venue: { name: "Waldbühne", location: "Glockenturmstraße 1, Berlin" },
          performers: ["The Long Goodbyes", "Łukasz"]
        },
        locale: "en",
        refunds: {},
        ...(places === undefined ? {} : { plan: places.plan }),
        tickets: made,
        issuedAtMs: atMs
      })
    )
  )
})

const rate = (count: number, micros: number) => Math.round((count * 10_000_000) / micros) / 10

const measure = Effect.fnUntraced(function* (count: number, tickets: number) {
  const press = yield* TicketPress
  const all = yield* documents(count, tickets)
  // Typefaces are read, and the code is compiled.
  for (const document of all.slice(0, holders.length * 2)) render(document)
  let bytes = 0
  const before = process.cpuUsage()
  for (const document of all) bytes += render(document).length
  const { system, user } = process.cpuUsage(before)
  yield* Effect.forEach(all.slice(0, holders.length * 2), press.draw, { concurrency: "unbounded" })
  const [took] = yield* Effect.timed(Effect.forEach(all, press.draw, { concurrency: 32, discard: true }))
  const row = {
    tickets,
    documentsACore: rate(count, system + user),
    ticketsACore: rate(count * tickets, system + user),
    pressTicketsASecond: rate(count * tickets, Duration.toMillis(took) * 1_000),
    kib: Math.round(bytes / count / 1024)
  }
  return row
})

Command.make(
  "tickets",
  {
    documents: Flag.Int("documents").pipe(Flag.withDescription("of each size"), Flag.withDefault(120)),
    json: Flag.String("json").pipe(Flag.optional)
  },
  Effect.fn(function* ({ documents: count, json }) {
    const rows = yield* Effect.forEach(sizes, (tickets) => measure(count, tickets))
    yield* Console.log(
      `| tickets a document | documents/s a core | tickets/s a core | tickets/s of the press (${availableParallelism()} cores) | KiB |\n|---|---|---|---|---|`
    )
    for (const row of rows) yield* Console.log(`| ${Object.values(row).join(" | ")} |`)
    if (Option.isSome(json)) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.writeFileString(json.value, JSON.stringify(rows, null, 2))
    }
  })
).pipe(
  Command.run({ version: "1" }),
  Effect.provide(
    Layer.mergeAll(
      TicketPress.layer,
      TicketCodes.layer.pipe(Layer.provide(SigningKeys.layerTest)),
      NodeServices.layer
    )
  ),
  NodeRuntime.runMain
)
