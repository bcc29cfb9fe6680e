import { assert, describe, it } from "@effect/vitest"
import { EventId, makeUuidV7 } from "@onsale/contracts/Ids"
import { TicketCodeForged } from "@onsale/contracts/notifications/TicketCode"
import { Effect, Layer } from "effect"
import { decode, encode } from "../src/Base32.ts"
import { SigningKeys } from "../src/SigningKeys.ts"
import { TicketCodes } from "../src/TicketCode.ts"
import { eventId, makeTicketId, nowMs } from "./Samples.ts"

const layer = TicketCodes.layer.pipe(Layer.provide(SigningKeys.layerTest))
const claim = { eventId, ticketId: makeTicketId(), version: 1 }

describe("Base32", () => {
  it("encodes the vectors of RFC 4648", () => {
    const vectors = {
      f: "MY",
      fo: "MZXQ",
      foo: "MZXW6",
      foob: "MZXW6YQ",
      fooba: "MZXW6YTB",
      foobar: "MZXW6YTBOI"
    }
    for (const [plain, encoded] of Object.entries(vectors)) {
      assert.strictEqual(encode(Buffer.from(plain)), encoded)
      assert.strictEqual(Buffer.from(decode(encoded) ?? []).toString(), plain)
    }
  })

  it("has one text for the same bytes", () => {
    assert.isUndefined(decode("MZ"))
    assert.isUndefined(decode("M"))
    assert.isUndefined(decode("mz"))
  })
})

describe("TicketCodes", () => {
  it.effect("a code says what was signed", () =>
    Effect.gen(function* () {
      const codes = yield* TicketCodes
      for (const version of [1, 2, 0xffff]) {
        const code = yield* codes.sign({ ...claim, version })
        assert.deepStrictEqual(yield* codes.verify(code), { ...claim, version })
        assert.deepStrictEqual(yield* codes.verify(` ${code.toLowerCase()}\n`), { ...claim, version })
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect("a ticket has one code a version, also after the cache is gone", () =>
    Effect.gen(function* () {
      const keys = yield* SigningKeys
      const sign = Effect.flatMap(TicketCodes, (codes) => codes.sign(claim)).pipe(
        Effect.provide(Layer.fresh(TicketCodes.layer).pipe(Layer.provide(Layer.succeed(SigningKeys, keys))))
      )
      const code = yield* sign
      assert.strictEqual(yield* sign, code)
      assert.strictEqual(code.length, 154)
    }).pipe(Effect.provide(SigningKeys.layerTest))
  )

  it.effect("a code with any character changed is forged", () =>
    Effect.gen(function* () {
      const codes = yield* TicketCodes
      const code = yield* codes.sign(claim)
      for (let i = 0; i < code.length; i++) {
        const changed = code.slice(0, i) + (code[i] === "A" ? "B" : "A") + code.slice(i + 1)
        assert.instanceOf(yield* Effect.flip(codes.verify(changed)), TicketCodeForged)
      }
    }).pipe(Effect.provide(layer))
  )

  it.effect.each(["", "A", "not a code", "Z".repeat(154), "A".repeat(100_000), "💥".repeat(50)])(
    "is not taken in by %#",
    (code) =>
      Effect.gen(function* () {
        const codes = yield* TicketCodes
        assert.instanceOf(yield* Effect.flip(codes.verify(code)), TicketCodeForged)
      }).pipe(Effect.provide(layer))
  )

  it.effect("a code of another key is forged", () =>
    Effect.gen(function* () {
      const code = yield* Effect.flatMap(TicketCodes, (codes) => codes.sign(claim)).pipe(
        Effect.provide(Layer.fresh(layer))
      )
      const codes = yield* TicketCodes
      assert.instanceOf(yield* Effect.flip(codes.verify(code)), TicketCodeForged)
    }).pipe(Effect.provide(layer))
  )

  it.effect("an event id that does not end in zeros is kept whole", () =>
    Effect.gen(function* () {
      const codes = yield* TicketCodes
      const odd = { ...claim, eventId: EventId.make(`${makeUuidV7(nowMs).slice(0, 30)}abcdef`) }
      assert.deepStrictEqual(yield* codes.verify(yield* codes.sign(odd)), odd)
    }).pipe(Effect.provide(layer))
  )
})
