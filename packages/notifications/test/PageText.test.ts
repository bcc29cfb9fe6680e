import { assert, describe, it } from "@effect/vitest"
import PdfKit from "pdfkit"
import { draw, ink } from "../src/PageText.ts"
import { line } from "../src/TextLayout.ts"

const style = { weight: "bold", size: 10 } as const

/** What is written on a page for one line of text, 100 points from its top. */
const drawn = async (text: string): Promise<string> => {
  const doc = new PdfKit({ compress: false, size: [300, 200], margin: 0 })
  const chunks: Array<Buffer> = []
  const ended = new Promise((resolve) => doc.on("end", resolve))
  doc.on("data", (chunk: Buffer) => chunks.push(chunk))
  draw(doc, [line(text.normalize("NFC"), style)], style, { x: 20, y: 90, width: 200 }, ink, "left")
  doc.end()
  await ended
  const all = Buffer.concat(chunks).toString("latin1")
  return all.slice(all.indexOf("stream"), all.indexOf("endstream"))
}

describe("PageText", () => {
  it.each([
    `م${"\u064b\u200c".repeat(60)}`,
    `ཀ${"\u0fb1\u200d".repeat(60)}`,
    `ក${"\u17d2ក".repeat(40)}`,
    `ꦏ${"\ua9c0ꦏ".repeat(40)}`
  ])("no more of a line than half of one stands in another, however it is stacked: %#", async (text) => {
    const content = await drawn(text)
    // The baseline is at 100; from 1.2 of the size above it to 0.65 below.
    assert.match(content, /10 88 [\d.]+ 18.5 re\nW n/)
    assert.isBelow(content.indexOf("W n"), content.indexOf("BT"))
  })

  it("what stacks nothing is drawn as it is", async () => {
    assert.notInclude(await drawn("Zoë Łukasz Ngọc"), "W n")
  })
})
