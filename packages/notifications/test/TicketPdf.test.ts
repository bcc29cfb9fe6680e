import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer } from "effect"
import jsqr from "jsqr"
import { execFileSync } from "node:child_process"
import { inflateSync } from "node:zlib"
import { etagOf } from "../src/DocumentVersion.ts"
import * as OrderReference from "../src/OrderReference.ts"
import * as QrCode from "../src/QrCode.ts"
import { SigningKeys } from "../src/SigningKeys.ts"
import { TicketCodes } from "../src/TicketCode.ts"
import { render } from "../src/TicketPdf.ts"
import { TicketPress } from "../src/TicketPress.ts"
import { makeDocument } from "./Samples.ts"

const layer = TicketCodes.layer.pipe(Layer.provide(SigningKeys.layerTest))

/** Reads a QR of so many modules on a side (quiet zone included), each drawn as 4 by 4 points. */
const read = (side: number, isDark: (x: number, y: number) => boolean) => {
  const scale = 4
  const pixels = new Uint8ClampedArray((side * scale) ** 2 * 4)
  for (let y = 0; y < side * scale; y++) {
    for (let x = 0; x < side * scale; x++) {
      const shade = isDark(Math.floor(x / scale), Math.floor(y / scale)) ? 0 : 255
      pixels.set([shade, shade, shade, 255], (y * side * scale + x) * 4)
    }
  }
  return jsqr.default(pixels, side * scale, side * scale)?.data
}

/** The streams of a PDF, unpacked, as far as they are text. */
const streamsOf = (pdf: Uint8Array): ReadonlyArray<string> => {
  const text = Buffer.from(pdf).toString("latin1")
  return Array.from(
    text.matchAll(/\/Filter \/FlateDecode\n>>\nstream\n([\s\S]*?)\nendstream/g),
    ([, body = ""]) => inflateSync(Buffer.from(body, "latin1")).toString("latin1")
  )
}

/** The codes in the QRs that are drawn in a PDF, in the order of its pages. */
const codesIn = (pdf: Uint8Array): ReadonlyArray<string | undefined> =>
  streamsOf(pdf).flatMap((content) => {
    // Drawn in modules: whole numbers, one high.
    const rects = Array.from(content.matchAll(/^(\d+) (\d+) (\d+) 1 re$/gm), (match) =>
      match.slice(1).map(Number)
    )
    if (rects.length === 0) return []
    const dark = new Set(
      rects.flatMap(([x = 0, y = 0, length = 0]) => Array.from({ length }, (_, i) => `${x + i},${y}`))
    )
    const last = Math.max(...rects.map(([, y = 0]) => y))
    return [read(last + 1 + QrCode.quietZone, (x, y) => dark.has(`${x},${y}`))]
  })

describe("TicketPdf", () => {
  it.effect("is a PDF of a page a ticket, whose cross-reference table is where it says", () =>
    Effect.gen(function* () {
      const pdf = render(yield* makeDocument(3))
      const text = Buffer.from(pdf).toString("latin1")
      assert.match(text, /^%PDF-1\.7\n/)
      assert.match(text, /%%EOF\s*$/)
      assert.strictEqual(text.match(/\/Type \/Page\n/g)?.length, 3)
      const startxref = Number(/startxref\n(\d+)\n/.exec(text)?.[1])
      assert.strictEqual(text.slice(startxref, startxref + 4), "xref")
    }).pipe(Effect.provide(layer))
  )

  it.effect("each page's QR reads as the code of its ticket", () =>
    Effect.gen(function* () {
      const document = yield* makeDocument(3)
      assert.deepStrictEqual(
        codesIn(render(document)),
        document.tickets.map(({ code }) => code)
      )
    }).pipe(Effect.provide(layer))
  )

  it.effect("a QR has 41 modules on a side", () =>
    Effect.gen(function* () {
      const { tickets } = yield* makeDocument(1)
      const code = tickets[0]?.code
      assert.isDefined(code)
      assert.strictEqual(QrCode.make(code).size, 41)
    }).pipe(Effect.provide(layer))
  )

  it.effect("the same document has the same bytes, however it is drawn", () =>
    Effect.gen(function* () {
      const document = yield* makeDocument(2, { holder: "محمد علي", name: "東京ジャズ" })
      const first = render(document)
      assert.deepStrictEqual(Buffer.compare(first, render(document)), 0)
      const press = yield* TicketPress
      assert.deepStrictEqual(Buffer.compare(first, yield* press.draw(document)), 0)
    }).pipe(Effect.provide([layer, TicketPress.layer]))
  )

  it.effect("another process draws the same bytes, and knows the document by the same ETag", () =>
    Effect.gen(function* () {
      // The same glyphs for other letters: what was printed before in this process must not show.
      render(yield* makeDocument(1, { holder: "\ufeaf\ufef3\ufee8\ufe90" }))
      const document = yield* makeDocument(2, { holder: "Łukasz 東京 زينب", name: "नमस्ते শ্রী" })
      const source = (name: string) => JSON.stringify(new URL(`../src/${name}.ts`, import.meta.url).href)
      const script = `
        import { render } from ${source("TicketPdf")}
        import { etagOf } from ${source("DocumentVersion")}
        const document = JSON.parse(process.argv[1])
        process.stdout.write(JSON.stringify([Buffer.from(render(document)).toString("base64"), etagOf(document)]))`
      const [bytes, etag] = JSON.parse(
        execFileSync(process.execPath, ["--input-type=module", "-e", script, JSON.stringify(document)], {
          encoding: "utf8",
          env: { TZ: "Asia/Tokyo", LC_ALL: "de_DE.UTF-8" }
        })
      )
      assert.strictEqual(bytes, Buffer.from(render(document)).toString("base64"))
      assert.strictEqual(etag, etagOf(document))
      const less = { ...document, tickets: document.tickets.slice(1) }
      assert.notStrictEqual(etagOf(less), etag, "one ticket was returned: another version")
    }).pipe(Effect.provide(layer))
  )

  it.effect("Chinese letters have the form of their language, whatever was printed before", () =>
    Effect.gen(function* () {
      const document = yield* makeDocument(1, { name: "直" })
      const japanese = { ...document, event: { ...document.event, timeZone: "Asia/Tokyo" } }
      const first = render(document)
      const inJapan = Buffer.from(render(japanese)).toString("latin1")
      assert.strictEqual(Buffer.compare(first, render(document)), 0)
      assert.include(Buffer.from(first).toString("latin1"), "NotoSansSC")
      assert.include(inJapan, "NotoSansJP")
      assert.notInclude(inJapan, "NotoSansSC")
    }).pipe(Effect.provide(layer))
  )

  it.effect("the map of the hall is in a document once, however many pages show it", () =>
    Effect.gen(function* () {
      const document = yield* makeDocument(5)
      const plan = { width: 10_000, height: 5_000, focus: null, outlines: [[0, 0, 10_000, 0, 5_000, 5_000]] }
      const place = { section: 0, x: 5_000, y: 100, pitch: 100, near: [5_100, 100, 4_900, 100] }
      const pdf = render({
        ...document,
        plan,
        tickets: document.tickets.map((ticket) => ({ ...ticket, place }))
      })
      const text = Buffer.from(pdf).toString("latin1")
      assert.strictEqual(text.match(/\/Subtype \/Form\n/g)?.length, 1)
      assert.strictEqual(streamsOf(pdf).filter((content) => content.includes("/Hall Do")).length, 5)
      assert.deepStrictEqual(
        codesIn(pdf),
        document.tickets.map(({ code }) => code)
      )
      assert.notStrictEqual(etagOf(document), etagOf({ ...document, plan }))
    }).pipe(Effect.provide(layer))
  )

  it.effect("a document that cannot be drawn breaks for who asked, and the next is drawn", () =>
    Effect.gen(function* () {
      const press = yield* TicketPress
      const document = yield* makeDocument(1)
      const broken = { ...document, issuedAtMs: Number.NaN }
      assert.isTrue(Exit.isFailure(yield* Effect.exit(press.draw(broken))))
      assert.isAbove((yield* press.draw(document)).length, 1_000)
    }).pipe(Effect.provide([layer, TicketPress.layer]))
  )

  it.effect("the buyer's terms stand on the buyer's tickets, and on none that was given away", () =>
    Effect.gen(function* () {
      const document = yield* makeDocument(1)
      const [ticket] = document.tickets
      const { price: _, ...given } = { ...(ticket ?? assert.fail()), holder: "Grace" }
      const drawn = (tickets: typeof document.tickets, feeAmount: number) =>
        Buffer.from(render({ ...document, tickets, refunds: { feeAmount } }))
      assert.isTrue(drawn([given], 0).equals(drawn([given], 900)))
      assert.isFalse(drawn(document.tickets, 0).equals(drawn(document.tickets, 900)))
      assert.deepStrictEqual(codesIn(drawn([given], 0)), [given.code])
    }).pipe(Effect.provide(layer))
  )

  it.effect("no page and no property tells the order's id: who has a ticket must not refund the others", () =>
    Effect.gen(function* () {
      const document = yield* makeDocument(1)
      const pdf = render(document)
      const text = Buffer.from(pdf).toString("latin1")
      assert.notInclude(text, document.orderId)
      assert.include(text, `Order ref. ${OrderReference.make(document.orderId)}`)
      // The last line of the page is in glyphs, four digits each: as many as the reference has, not the id.
      const page = streamsOf(pdf).find((content) => content.includes("BT")) ?? ""
      const line = page.slice(page.lastIndexOf("BT"))
      const glyphs = Array.from(line.matchAll(/<([0-9a-f]+)>/g), ([, hex = ""]) => hex).join("").length / 4
      assert.strictEqual(glyphs, "Order ref. ABCD-EFGH".length)
    }).pipe(Effect.provide(layer))
  )

  it.effect.each([
    ["", ""],
    ["x".repeat(200), "W".repeat(200)],
    ["ก็".repeat(100), "नमस्ते ".repeat(25)],
    ["\u0000\u202e\u0007 evil \r\n lines", "👩‍👩‍👧‍👦 🏳️‍🌈"],
    ["\ud800 lone", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 \u{10ffff}"],
    ["ਸ੍ਰੀ ਗੁਰਪ੍ਰੀਤ", "ꯁ꯭ꯔꯤ"],
    [`Z${"\u0301".repeat(99)}`, `${"\u0301".repeat(99)} ${"\u0323".repeat(99)}`]
  ])("prints any name: %#", ([holder, name]) =>
    Effect.gen(function* () {
      const pdf = render(yield* makeDocument(1, { holder: holder ?? "", name: name ?? "" }))
      assert.strictEqual(codesIn(pdf).length, 1)
    }).pipe(Effect.provide(layer))
  )
})
