/** The command line as a person uses it: from a seat map to tickets, over a service of its own. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import * as OnsaleProcess from "@onsale/testing/OnsaleProcess"
import { Context, DateTime, Effect, FileSystem, Layer, Schema } from "effect"
import * as OnsaleCommand from "./OnsaleCommand.ts"

class Service extends Context.Service<Service, OnsaleProcess.OnsaleProcess & { readonly files: string }>()(
  "test/Service"
) {
  static readonly layer = Layer.effect(
    Service,
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const files = yield* fs.makeTempDirectoryScoped({ prefix: "onsale-cli-" })
      yield* fs.writeFileString(`${files}/hall.csv`, hall)
      yield* fs.writeFileString(`${files}/stage.json`, JSON.stringify(stage))
      yield* fs.writeFileString(`${files}/broken.json`, JSON.stringify({ ...stage, zones: [zone, zone] }))
      return { ...(yield* OnsaleProcess.start()), files }
    })
  ).pipe(Layer.provideMerge(NodeServices.layer))
}

const hall = "section,row,seat_from,seat_to,quantity,price\nStalls,A,1,10,,45.00\nFloor,,,,100,20.00\n"

const zone = {
  name: "Stage",
  position: { x: 0, y: 0 },
  rows: [
    {
      row_number: "1",
      position: { x: 0, y: 0 },
      seats: Array.from({ length: 6 }, (_, i) => ({
        seat_guid: `1-${i + 1}`,
        seat_number: `${i + 1}`,
        position: { x: i * 30, y: 0 },
        category: "Best"
      }))
    }
  ],
  areas: []
}
const stage = { name: "Stage", categories: [{ name: "Best", color: "#aa0000" }], zones: [zone] }

/** Runs a command against the service; its data directory has the organiser's key. */
const onsale = Effect.fnUntraced(function* (...args: ReadonlyArray<string>) {
  const { dataDir, url } = yield* Service
  return yield* OnsaleCommand.run(args, { ONSALE_URL: url, ONSALE_DATA_DIR: dataDir })
})

/** The same with `--json`, of which the answer is expected. */
const answer = Effect.fnUntraced(function* <A, I>(
  schema: Schema.Codec<A, I>,
  ...args: ReadonlyArray<string>
) {
  const { code, stderr, stdout } = yield* onsale(...args, "--json")
  assert.strictEqual(code, 0, stderr)
  return yield* Schema.decodeUnknownEffect(Schema.fromJsonString(schema))(stdout)
})

const WithId = Schema.Struct({ id: Schema.String })
const HoldAnswer = Schema.Struct({
  id: Schema.String,
  seats: Schema.Array(Schema.Struct({ seatId: Schema.String }))
})
const noId = "019a9c3e-5b7c-7d21-9f3a-2b1c4d000000"
const buyer = ["--name", "Ada Lovelace", "--email", "ada@example.com"]

const importVenue = Effect.fnUntraced(function* (file: string) {
  const { files } = yield* Service
  return yield* answer(
    Schema.Struct({ id: Schema.String, report: Schema.Struct({ format: Schema.String, seats: Schema.Int }) }),
    "venue",
    "import",
    `${files}/${file}`,
    "--name",
    `Venue of ${file}`,
    "--time-zone",
    "Europe/Berlin"
  )
})

layer(Service.layer, { timeout: "2 minutes", excludeTestServices: true })("onsale", (it) => {
  describe("from a seat map to tickets", () => {
    it.effect("imports, sells, and comes out of the audit clean", () =>
      Effect.gen(function* () {
        const { files, url } = yield* Service
        const fs = yield* FileSystem.FileSystem

        const [csv, pretix] = yield* Effect.all([importVenue("hall.csv"), importVenue("stage.json")], {
          concurrency: 2
        })
        assert.deepStrictEqual([csv.report.format, csv.report.seats], ["csv", 10])
        assert.deepStrictEqual([pretix.report.format, pretix.report.seats], ["pretix", 6])

        const startsAt = DateTime.formatIso(DateTime.add(yield* DateTime.now, { days: 30 }))
        const aida = ["--venue", csv.id, "--name", "Aida", "--starts-at", startsAt]
        const tiers = ["--tier", "Stalls=4500 EUR:45.00", "--tier", "Floor=2000 EUR:20.00"]
        const [exported, event] = yield* Effect.all(
          [
            onsale("venue", "export", pretix.id, "--out", `${files}/export.json`),
            answer(WithId, "event", "create", ...aida, ...tiers)
          ],
          { concurrency: 2 }
        )
        assert.strictEqual(exported.code, 0, exported.stderr)
        assert.deepInclude(JSON.parse(yield* fs.readFileString(`${files}/export.json`)), {
          categories: stage.categories
        })

        const published = yield* onsale("event", "publish", event.id)
        assert.strictEqual(published.code, 0, published.stderr)
        const [list, hold] = yield* Effect.all(
          [onsale("event", "list"), answer(HoldAnswer, "hold", event.id, "--best", "2")],
          { concurrency: 2 }
        )
        assert.match(list.stdout, new RegExp(`^${event.id} .*Aida .*on_sale .*20.00 EUR to 45.00 EUR$`, "m"))

        const seats = hold.seats.map(({ seatId }) => seatId)
        const area = `${event.id.slice(0, -6)}800000`
        const [bought, taken, declined, floor] = yield* Effect.all(
          [
            onsale("buy", "--hold", hold.id, ...buyer, "--out", `${files}/tickets.pdf`),
            onsale("hold", event.id, "--seats", seats.join(",")),
            onsale("buy", event.id, "--best", "1", ...buyer, "--method", "tok_declined"),
            answer(Schema.Struct({ status: Schema.String }), "buy", event.id, "--area", `${area}=3`, ...buyer)
          ],
          { concurrency: 2 }
        )
        assert.strictEqual(bought.code, 0, bought.stderr)
        assert.match(bought.stdout, /^Status {4}confirmed$/m)
        assert.match(bought.stdout, /^Total {5}90.00 EUR$/m)
        const pdf = yield* fs.readFile(`${files}/tickets.pdf`)
        assert.strictEqual(new TextDecoder("latin1").decode(pdf.subarray(0, 5)), "%PDF-")
        assert.strictEqual(taken.code, 1)
        assert.strictEqual(taken.stdout, "")
        for (const seatId of seats) assert.include(taken.stderr, `- seat ${seatId}`)
        assert.strictEqual(declined.code, 1)
        assert.match(declined.stderr, /The payment was declined\n {2}the provider says card_declined/)
        assert.strictEqual(floor.status, "confirmed")

        const [audit, migrate, venues] = yield* Effect.all(
          [onsale("audit"), onsale("migrate"), onsale("venue", "list", "--url", `${url}/`)],
          { concurrency: 2 }
        )
        assert.strictEqual(audit.code, 0, audit.stdout + audit.stderr)
        assert.match(audit.stdout, /^INV-04 {2}ok .* 2 captured in the provider's ledger\)$/m)
        assert.match(audit.stdout, /All invariants hold\.$/m)
        assert.match(migrate.stdout, /^The database is up to date\./)
        assert.match(venues.stdout, /Venue of stage.json/)
      })
    )
  })

  describe("the rules of a sale", () => {
    it.effect(
      "are set, unlocked and taken back by an organiser, and met by a buyer",
      () =>
        Effect.gen(function* () {
          const venue = yield* importVenue("hall.csv")
          const now = yield* DateTime.now
          const inDays = (days: number) => DateTime.formatIso(DateTime.add(now, { days }))
          const event = yield* answer(
            Schema.Struct({
              id: Schema.String,
              maxPerCustomer: Schema.Int,
              tiers: Schema.Array(
                Schema.Struct({ id: Schema.String, maxPerOrder: Schema.optionalKey(Schema.Int) })
              ),
              quotas: Schema.Array(Schema.Struct({ name: Schema.String, capacity: Schema.Int }))
            }),
            "event",
            "create",
            "--venue",
            venue.id,
            "--name",
            "Field day",
            "--starts-at",
            inDays(30),
            "--tier",
            "Stalls=4500 EUR:45.00",
            "--tier",
            "Early=1500 EUR:20.00",
            "--tier",
            "Floor=2000 EUR:20.00",
            "--tier-rule",
            `Early: until=${inDays(20)}, max=4, voucher-only`,
            "--quota",
            "Early=50: Early",
            "--max-per-customer",
            "6"
          )
          assert.deepInclude(event, { maxPerCustomer: 6, quotas: [{ name: "Early", capacity: 50 }] })
          assert.strictEqual(event.tiers[1]?.maxPerOrder, 4)
          const seat = (index: number) =>
            `${event.id.slice(0, -6)}${(index + 1).toString(16).padStart(6, "0")}`
          const early = `${event.id.slice(0, -6)}800000`
          const published = yield* onsale("event", "publish", event.id)
          assert.match(published.stdout, /^Early .* at most 4, with a voucher /m)

          const block = yield* answer(
            WithId,
            "block",
            "add",
            event.id,
            "--name",
            "House",
            "--seats",
            `${seat(0)},${seat(1)}`
          )
          const [voucher] = yield* answer(
            Schema.Tuple([Schema.Struct({ id: Schema.String, code: Schema.String })]),
            "voucher",
            "add",
            event.id,
            "--count",
            "1",
            "--tier",
            "Early",
            "--block",
            "House",
            "--max-tickets",
            "3"
          )
          const [blocked, unlocked, locked, blocks, vouchers] = yield* Effect.all(
            [
              onsale("hold", event.id, "--seats", seat(0)),
              answer(
                HoldAnswer,
                "hold",
                event.id,
                "--seats",
                seat(0),
                "--area",
                `${early}=1`,
                "--voucher",
                voucher.code.toLowerCase(),
                "--customer",
                "ada@example.com"
              ),
              onsale("hold", event.id, "--area", `${early}=1`),
              onsale("block", "list", event.id),
              onsale("voucher", "list", event.id)
            ],
            { concurrency: 2 }
          )
          assert.strictEqual(blocked.code, 1)
          assert.include(blocked.stderr, `- seat ${seat(0)}`)
          assert.strictEqual(locked.code, 1)
          assert.include(locked.stderr, "need a voucher")
          assert.deepStrictEqual(unlocked.seats, [{ seatId: seat(0) }])
          assert.match(blocks.stdout, new RegExp(`^${block.id} +House +2 seats$`, "m"))
          assert.include(vouchers.stdout, voucher.code)

          const [changed, accessible, released] = yield* Effect.all(
            [
              answer(HoldAnswer, "hold", event.id, "--seats", seat(1), "--replaces", unlocked.id),
              onsale("event", "release-accessible", event.id),
              onsale("block", "release", event.id, block.id, "--seats", seat(0))
            ],
            { concurrency: 2 }
          )
          assert.deepStrictEqual(changed.seats, [{ seatId: seat(1) }])
          assert.strictEqual(accessible.code, 0, accessible.stderr)
          assert.match(released.stdout, /^Keeps {5}1 seat$/m)
          const [removed, limited] = yield* Effect.all(
            [
              onsale("voucher", "remove", event.id, voucher.code),
              onsale("buy", event.id, "--best", "7", "--name", "Bob", "--email", "bob@example.com")
            ],
            { concurrency: 2 }
          )
          assert.strictEqual(removed.code, 0, removed.stderr)
          assert.strictEqual(limited.code, 1)
          assert.match(limited.stderr, /More tickets than one order or customer may have\n {2}the limit is 6/)
        }),
      120_000
    )
  })

  describe("what goes wrong", () => {
    it.effect("is refused with 1 and the place of each problem, as JSON where that is asked for", () =>
      Effect.gen(function* () {
        const { files } = yield* Service
        const args = [
          "venue",
          "import",
          `${files}/broken.json`,
          "--name",
          "Broken",
          "--time-zone",
          "Europe/Berlin"
        ]
        const [text, json, key] = yield* Effect.all(
          [onsale(...args), onsale(...args, "--json"), onsale("venue", "list", "--key", "wrong")],
          { concurrency: 2 }
        )
        assert.deepStrictEqual([text.code, json.code, key.code], [1, 1, 1])
        assert.match(
          text.stderr,
          /^The seat map was not imported\n(.*\n)* {2}- \/zones\/1\/rows\/0\/seats\/0.*: error: /
        )
        assert.include(JSON.parse(json.stderr), { type: "urn:onsale:problem:plan-refused", status: 422 })
        assert.strictEqual(json.stdout + text.stdout, "")
        assert.strictEqual(key.stderr, "A bearer key is needed\n")
      })
    )

    it.effect("is 2 where the command is called wrongly", () =>
      Effect.gen(function* () {
        const { files } = yield* Service
        const calls = [
          ["frobnicate"],
          ["hold"],
          ["hold", "no-id", "--best", "1"],
          ["event", "create", "--name", "Aida"],
          ["event", "create", "--venue", "x"],
          ["event", "change", "no-id", "--name", "x"],
          ["event", "change", noId, "--starts-at", "tomorrow"],
          ["venue", "import", `${files}/hall.csv`, "--name", "x", "--time-zone", "Nowhere/Land"],
          ["event", "create", "--venue", noId, "--name", "x", "--tier", "A=1 EUR", "--tier-rule", "B: max=1"],
          ["block", "add", noId, "--name", "House"],
          ["voucher", "add", noId, "--count", "1", "--code", "A", "--tier", "A", "--max-tickets", "1"],
          ["hold", noId, "--seats", noId, "--accessible-count", "1"],
          ["event", "list", "--url", "nonsense"],
          ["buy", "--best", "1", ...buyer]
        ]
        const outcomes = yield* Effect.forEach(calls, (call) => onsale(...call), { concurrency: 2 })
        outcomes.forEach(({ code, stderr, stdout }, i) => {
          const call = calls[i]?.join(" ")
          assert.strictEqual(code, 2, call)
          assert.notStrictEqual(stderr, "", call)
          assert.strictEqual(stdout, "", call)
          assert.notMatch(stderr, /\n\s+at /, call)
        })
      })
    )

    it.effect("is 3 where nobody answers, with a hint", () =>
      Effect.gen(function* () {
        const { code, stderr } = yield* onsale("event", "list", "--url", "http://127.0.0.1:9")
        assert.strictEqual(code, 3)
        assert.match(stderr, /^Onsale does not answer at http:\/\/127.0.0.1:9\n.*Is it running\?/)
      })
    )
  })
})
