import { assert, describe, it } from "@effect/vitest"
import { Door } from "@onsale/door/Door"
import { DoorBundleError, openBundle } from "@onsale/door/DoorBundle"
import { memoryStore, ScanStoreFull } from "@onsale/door/ScanStore"
import { doorBundleType } from "@onsale/contracts/booking/DoorBundle"
import { SigningKeys } from "@onsale/notifications/SigningKeys"
import { TicketCodes } from "@onsale/notifications/TicketCode"
import { decode, encode } from "@onsale/notifications/Base32"
import { Effect, Layer, Redacted } from "effect"
import { CompactSign, importJWK } from "jose"
import { codeOf, eventId, layer, makeBundle, makeJws, makeTicketId, nowMs, oddEventId } from "./DoorWorld.ts"

const trusted = Effect.flatMap(TicketCodes, ({ doorKeys }) => doorKeys)

const openDoor = Effect.fnUntraced(function* (jws: string, store = memoryStore()) {
  const trustedKeys = yield* trusted
  return yield* Effect.promise(() => Door.open({ jws, trustedKeys, store }))
})

const verify = (door: Door, code: string, gate = "North", now = nowMs) =>
  Effect.promise(() => door.verify(code, { gate, now }))

const refusal = (promise: () => Promise<unknown>) =>
  Effect.map(Effect.flip(Effect.tryPromise({ try: promise, catch: (error) => error })), (error) =>
    error instanceof DoorBundleError ? error.reason : error
  )

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
/** With the last of its bits, which are to spare at the end of a code, changed. */
const respelled = (char: string) => alphabet[alphabet.indexOf(char) ^ 1] ?? ""

/** Signed by the key of the codes, whatever it is. */
const signed = Effect.fnUntraced(function* (payload: unknown, header: object) {
  const { signer } = yield* SigningKeys
  return yield* Effect.promise(async () =>
    new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
      .setProtectedHeader({ alg: "Ed25519", kid: String(signer.number), ...header })
      .sign(await importJWK(Redacted.value(signer.privateJwk), "Ed25519"))
  )
})

describe("Door", () => {
  it.effect("tells admitted, used, refunded, replaced, of another event, and forged apart", () =>
    Effect.gen(function* () {
      const [good, refunded, reissued, inside] = [
        makeTicketId(),
        makeTicketId(),
        makeTicketId(),
        makeTicketId()
      ]
      // Enough around them that they have to be found.
      const crowd = Array.from({ length: 500 }, makeTicketId)
      const door = yield* openDoor(
        yield* makeJws({
          refunded: [refunded, ...crowd],
          reissued: [[reissued, 3], ...crowd.map((id) => [id, 2] as const)],
          gates: ["East", "West"],
          admitted: [[inside, nowMs - 5, 1], ...crowd.map((id) => [id, nowMs, 0] as const)]
        })
      )
      const admitted = yield* verify(door, yield* codeOf(good))
      assert.deepInclude(admitted, { result: "admitted", ticketId: good })
      assert.deepStrictEqual(
        yield* verify(door, ` ${(yield* codeOf(good)).toLowerCase()}\n`, "South", nowMs + 1),
        {
          result: "used",
          ticketId: good,
          checkIn: { gate: "North", atMs: nowMs }
        }
      )
      assert.deepStrictEqual(yield* verify(door, yield* codeOf(inside)), {
        result: "used",
        ticketId: inside,
        checkIn: { gate: "West", atMs: nowMs - 5 }
      })
      assert.deepInclude(yield* verify(door, yield* codeOf(refunded)), {
        result: "cancelled",
        reason: "refunded"
      })
      for (const version of [1, 2]) {
        assert.deepInclude(yield* verify(door, yield* codeOf(reissued, version)), {
          result: "cancelled",
          reason: "replaced"
        })
      }
      assert.deepInclude(yield* verify(door, yield* codeOf(reissued, 3)), { result: "admitted" })
      // A code that is newer than the bundle is good: we have signed it.
      assert.deepInclude(yield* verify(door, yield* codeOf(makeTicketId(), 7)), { result: "admitted" })
      assert.deepInclude(yield* verify(door, yield* codeOf(good, 1, oddEventId)), {
        result: "wrong event",
        eventId: oddEventId
      })
      const asked = { gate: "North", now: nowMs, event: oddEventId }
      const elsewhere = yield* Effect.flatMap(codeOf(makeTicketId()), (code) =>
        Effect.promise(() => door.verify(code, asked))
      )
      assert.deepInclude(elsewhere, { result: "wrong event", eventId })
    }).pipe(Effect.provide(layer))
  )

  it.effect("reads codes as the service does: of an id that is whole too, and none that is not", () =>
    Effect.gen(function* () {
      const codes = yield* TicketCodes
      const door = yield* openDoor(yield* makeJws({ eventId: oddEventId }))
      const code = yield* codeOf(makeTicketId(), 1, oddEventId)
      const junk = [
        "",
        "A",
        "not a code",
        "Z".repeat(154),
        "A".repeat(100_000),
        "💥".repeat(50),
        `${code}A`,
        // The same bytes, written in another way.
        code.slice(0, -1) + respelled(code.at(-1) ?? ""),
        code.slice(0, -1)
      ]
      for (const text of junk) {
        assert.deepStrictEqual(yield* verify(door, text), { result: "forged" })
        assert.strictEqual((yield* Effect.flip(codes.verify(text)))._tag, "TicketCodeForged")
      }
      const bytes = decode(code)
      assert.isDefined(bytes)
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ 1
        assert.deepStrictEqual(yield* verify(door, encode(changed)), { result: "forged" })
      }
      const foreign = yield* Effect.provide(codeOf(makeTicketId(), 1, oddEventId), Layer.fresh(layer))
      assert.deepStrictEqual(yield* verify(door, foreign), { result: "forged" })
      assert.deepInclude(yield* verify(door, code), { result: "admitted" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("of two scans of a ticket at once one admits", () =>
    Effect.gen(function* () {
      const door = yield* openDoor(yield* makeJws({}))
      const code = yield* codeOf(makeTicketId())
      const verdicts = yield* Effect.all(
        Array.from({ length: 20 }, (_, i) => verify(door, code, `camera ${i}`)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(verdicts.filter(({ result }) => result === "admitted").length, 1)
      assert.strictEqual(verdicts.filter(({ result }) => result === "used").length, 19)
    }).pipe(Effect.provide(layer))
  )

  it.effect("keeps its scans until they are told of, a gate at a time, and remembers who is inside", () =>
    Effect.gen(function* () {
      const door = yield* openDoor(yield* makeJws({}))
      const tickets = [makeTicketId(), makeTicketId(), makeTicketId()]
      for (const [i, id] of tickets.entries()) {
        yield* verify(door, yield* codeOf(id), i === 1 ? "South" : "North", nowMs + i)
      }
      const first = yield* Effect.promise(() => door.upload(nowMs + 10))
      assert.deepInclude(first, { gate: "North", clockMs: nowMs + 10 })
      assert.deepStrictEqual(
        first?.scans.map(({ atMs }) => atMs),
        [nowMs, nowMs + 2]
      )
      yield* Effect.promise(() =>
        door.settle((first?.scans ?? []).map(({ scanId }) => ({ scanId, result: "admitted" })))
      )
      const pending = yield* Effect.promise(() => door.pendingScans())
      assert.deepStrictEqual(
        pending.map(({ gate, ticketId }) => [gate, ticketId]),
        [["South", tickets[1]]]
      )
      assert.deepInclude(yield* verify(door, yield* codeOf(tickets[0] ?? makeTicketId())), { result: "used" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("lets nobody in whom it could not remember, and goes on with who it knows", () =>
    Effect.gen(function* () {
      const door = yield* openDoor(yield* makeJws({}), memoryStore(1))
      const code = yield* codeOf(makeTicketId())
      assert.deepInclude(yield* verify(door, code), { result: "admitted" })
      const next = yield* codeOf(makeTicketId())
      const full = yield* refusal(() => door.verify(next, { gate: "North", now: nowMs }))
      assert.instanceOf(full, ScanStoreFull)
      assert.deepInclude(yield* verify(door, code), { result: "used" })
    }).pipe(Effect.provide(layer))
  )

  it.effect("takes newer bundles of its event only, by a key that it trusts", () =>
    Effect.gen(function* () {
      const trustedKeys = yield* trusted
      const ticket = makeTicketId()
      const door = yield* openDoor(yield* makeJws({ sequence: 5 }))
      const refused = yield* Effect.forEach(
        [{ sequence: 4 }, { sequence: 6, eventId: oddEventId }],
        (facts) => Effect.flatMap(makeJws(facts), (jws) => refusal(() => door.refresh(jws)))
      )
      assert.deepStrictEqual(refused, ["older", "other event"])
      const foreign = yield* Effect.provide(makeJws({ sequence: 9, refunded: [ticket] }), Layer.fresh(layer))
      assert.strictEqual(yield* refusal(() => door.refresh(foreign)), "untrusted")
      assert.strictEqual(door.bundle.sequence, 5)
      const newer = yield* makeJws({ sequence: 6, refunded: [ticket] })
      yield* Effect.promise(() => door.refresh(newer))
      assert.deepInclude(yield* verify(door, yield* codeOf(ticket)), { result: "cancelled" })

      const jws = yield* makeJws({})
      const [header = "", payload = "", signature = ""] = jws.split(".")
      const bundle = yield* makeBundle({})
      const changed = Buffer.from(JSON.stringify({ ...bundle, sequence: 99 })).toString("base64url")
      const cases: ReadonlyArray<readonly [string, string]> = [
        [`${header}.${changed}.${signature}`, "untrusted"],
        [`${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`, "untrusted"],
        [`${header}.${payload}.`, "untrusted"],
        [`${header}.${payload}`, "unreadable"],
        [`${jws}.${signature}`, "unreadable"],
        [`${header}!.${payload}.${signature}`, "unreadable"],
        ["", "unreadable"],
        [yield* signed(bundle, { typ: "JWT" }), "unreadable"],
        [yield* signed(bundle, {}), "unreadable"],
        [yield* signed(bundle, { typ: doorBundleType, b64: true, crit: ["b64"] }), "unreadable"],
        [yield* signed(bundle, { typ: doorBundleType, kid: "9" }), "untrusted"],
        [yield* signed({ ...bundle, format: 2 }, { typ: doorBundleType }), "unreadable"],
        [yield* signed({ ...bundle, refunded: "AAAA" }, { typ: doorBundleType }), "unreadable"]
      ]
      for (const [text, reason] of cases) {
        assert.strictEqual(yield* refusal(() => openBundle(text, trustedKeys)), reason, text.slice(0, 80))
      }
    }).pipe(Effect.provide(layer))
  )
})
