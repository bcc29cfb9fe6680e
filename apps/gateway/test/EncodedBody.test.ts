import { assert, describe, it } from "@effect/vitest"
import { brotliDecompressSync, gunzipSync } from "node:zlib"
import { Compressor, type Encoding, turns } from "../src/Compressor.ts"
import type { RequestHeaders } from "../src/Correlation.ts"
import { EncodedBody, type Representation, tagOf } from "../src/EncodedBody.ts"
import * as AcceptedEncodings from "../src/AcceptedEncodings.ts"
import { Effect } from "effect"

const text = JSON.stringify({ seats: Array.from({ length: 500 }, (_, seat) => `seat ${seat}`) })
const json = Buffer.from(text)

interface Answered {
  readonly representation: Representation
  readonly notModified: boolean
}

const make = (compressor: Compressor["Service"]) =>
  new EncodedBody({ json, tag: tagOf(json), cacheControl: "no-cache", compressor, turns: turns(false) })

const ask = (body: EncodedBody, request: RequestHeaders) =>
  Effect.callback<Answered>((resume) => {
    body.answer(request, (representation, notModified) =>
      resume(Effect.succeed({ representation, notModified }))
    )
  })

/** A compressor that is told when to end. */
const steered = () => {
  const begun: Array<{ readonly encoding: Encoding; readonly done: (bytes: Buffer | null) => void }> = []
  const compressor: Compressor["Service"] = {
    start: (encoding, _, __, done) => {
      begun.push({ encoding, done })
      return true
    }
  }
  return { begun, compressor }
}

describe("EncodedBody", () => {
  it.live("each encoding decodes to the same text, under a tag of its own", () =>
    Effect.gen(function* () {
      const body = make(yield* Compressor)
      const plain = (yield* ask(body, {})).representation
      const gzip = (yield* ask(body, { "accept-encoding": "gzip" })).representation
      const br = (yield* ask(body, { "accept-encoding": "br" })).representation
      // Who takes several has the smallest that there is.
      const both = yield* ask(body, { "accept-encoding": "gzip, deflate, br" })
      assert.strictEqual(both.representation, br)
      assert.strictEqual(Buffer.from(plain.bytes).toString(), text)
      assert.strictEqual(gunzipSync(gzip.bytes).toString(), text)
      assert.strictEqual(brotliDecompressSync(br.bytes).toString(), text)
      assert.strictEqual(new Set([plain, gzip, br].map(({ etag }) => etag)).size, 3)
      for (const [representation, encoding] of [
        [plain, undefined],
        [gzip, "gzip"],
        [br, "br"]
      ] as const) {
        const { headers } = representation
        const at = headers.indexOf("content-encoding")
        assert.strictEqual(at === -1 ? undefined : headers[at + 1], encoding)
        assert.include(headers.join(" "), "vary accept-encoding")
      }
      assert.strictEqual(
        body.byteLength,
        plain.bytes.byteLength + gzip.bytes.byteLength + br.bytes.byteLength
      )
    }).pipe(Effect.provide(Compressor.layer))
  )

  it.effect("a client that has any representation it takes is told that it has it", () =>
    Effect.gen(function* () {
      const body = make(steered().compressor)
      const { etag } = body.identity
      const gzip = etag.replace(/"$/, '-gzip"')
      for (const [accept, tags, had] of [
        [undefined, etag, etag],
        [undefined, `W/${etag}`, etag],
        [undefined, `"x", ${etag}`, etag],
        [undefined, "*", etag],
        ["gzip", etag, etag],
        ["gzip", gzip, gzip],
        ["gzip", `"x",W/${gzip}`, gzip]
      ] as const) {
        const answer = yield* ask(body, { "accept-encoding": accept, "if-none-match": tags })
        assert.isTrue(answer.notModified, tags)
        assert.strictEqual(answer.representation.etag, had)
      }
    })
  )

  it.effect("what a client cannot decode, or has of another version, is not what it has", () =>
    Effect.gen(function* () {
      const body = make(steered().compressor)
      const gzip = body.identity.etag.replace(/"$/, '-gzip"')
      for (const tags of [gzip, '"x"', "x", ""]) {
        const { notModified, representation } = yield* ask(body, { "if-none-match": tags })
        assert.isFalse(notModified, tags)
        assert.strictEqual(representation, body.identity)
      }
    })
  )

  it.effect("is compressed once for all who wait", () =>
    Effect.gen(function* () {
      const { begun, compressor } = steered()
      const body = make(compressor)
      const answers: Array<Representation> = []
      for (let i = 0; i < 10; i++) body.answer({ "accept-encoding": "gzip" }, (one) => answers.push(one))
      assert.lengthOf(answers, 0)
      assert.lengthOf(begun, 1)
      begun[0]!.done(Buffer.from("small"))
      assert.lengthOf(answers, 10)
      assert.strictEqual(new Set(answers).size, 1)
      assert.strictEqual(Buffer.from(answers[0]!.bytes).toString(), "small")
      body.answer({ "accept-encoding": "gzip" }, (one) => answers.push(one))
      assert.strictEqual(answers[10], answers[0])
      assert.lengthOf(begun, 1)
    })
  )

  it.effect("is sent plain where it is not compressed now, and where that makes it no smaller", () =>
    Effect.gen(function* () {
      const resting = make({ start: () => false })
      assert.strictEqual((yield* ask(resting, { "accept-encoding": "br" })).representation, resting.identity)
      const { begun, compressor } = steered()
      const body = make(compressor)
      const answers: Array<Representation> = []
      const again = () => body.answer({ "accept-encoding": "gzip" }, (one) => answers.push(one))
      again()
      begun[0]!.done(null)
      again()
      assert.deepStrictEqual(answers, [body.identity, body.identity])
      assert.lengthOf(begun, 1)
    })
  )

  it("reads what is accepted as RFC 9110 says", () => {
    const none = { br: false, gzip: false, identity: true }
    for (const [header, accepted] of [
      [undefined, none],
      ["", none],
      ["deflate", none],
      ["gzip", { ...none, gzip: true }],
      ["GZIP;q=0.5, br;q=0", { ...none, gzip: true }],
      ["gzip, deflate, br, zstd", { ...none, gzip: true, br: true }],
      ["*", { ...none, gzip: true, br: true }],
      ["*;q=0, br", { br: true, gzip: false, identity: false }],
      ["br;q=x", none]
    ] as const) {
      assert.deepStrictEqual(AcceptedEncodings.of(header), accepted, header)
      assert.deepStrictEqual(AcceptedEncodings.of(header), accepted, header)
    }
  })
})

describe("Compressor", () => {
  it.live("does not compress a resource again and again, nor what is small", () =>
    Effect.gen(function* () {
      const compressor = yield* Compressor
      const own = turns(false)
      assert.isFalse(compressor.start("gzip", own, Buffer.alloc(100), () => {}))
      const first = yield* Effect.callback<Buffer | null>((resume) => {
        assert.isTrue(compressor.start("gzip", own, json, (bytes) => resume(Effect.succeed(bytes))))
        // It runs.
        assert.isFalse(compressor.start("gzip", own, json, () => {}))
      })
      assert.isBelow(first?.byteLength ?? Number.NaN, json.byteLength)
      const nowMs = Number(process.hrtime.bigint()) / 1e6
      assert.isAbove(own.restUntilMs.gzip, nowMs - 1_000)
      assert.isBelow(own.restUntilMs.gzip, Number.POSITIVE_INFINITY)
      own.restUntilMs.gzip = Number.POSITIVE_INFINITY
      assert.isFalse(compressor.start("gzip", own, json, () => {}))
      // The other encoding, and other resources, have turns of their own.
      const other = yield* Effect.callback<Buffer | null>((resume) => {
        assert.isTrue(compressor.start("br", own, json, (bytes) => resume(Effect.succeed(bytes))))
      })
      assert.isNotNull(other)
    }).pipe(Effect.provide(Compressor.layer))
  )
})
