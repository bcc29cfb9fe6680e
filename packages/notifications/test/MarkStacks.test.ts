import { assert, describe, it } from "@effect/vitest"
import { faceFor } from "../src/Fonts.ts"
import { bounded, reach } from "../src/MarkStacks.ts"
import { line, wrap } from "../src/TextLayout.ts"

const accents = "\u0301".repeat(99)
const dots = "\u0323".repeat(99)

const assertWithin = (text: string) => {
  for (const weight of ["regular", "bold"] as const) {
    const style = { weight, size: 10 }
    for (const { runs } of [line(text.normalize("NFC"), style), ...wrap(text, style, 60, 9)]) {
      for (const { face, text } of runs) {
        const { maxY, minY } = face.font.layout(text).bbox
        const size = face.font.unitsPerEm / face.scale
        // The bounds of what draws nothing are infinite, the wrong way round.
        assert.isAtMost(maxY / size, reach.above, JSON.stringify(text))
        assert.isAtLeast(minY / size, -reach.below, JSON.stringify(text))
      }
    }
  }
}

describe("MarkStacks", () => {
  it.each([
    `Z${accents}`,
    `g${dots}`,
    `o${accents}${dots}`,
    `Zoë Z${accents} Quinn`,
    accents,
    `${accents} ${accents} ${dots}`,
    `น${"้".repeat(99)}`,
    `א${"\u05b8".repeat(99)}`,
    `ب${"\u0651\u064e".repeat(99)}`,
    `क${"\u0902".repeat(99)}`,
    `ཀ${"ྱ".repeat(99)}`,
    `က${"ှ".repeat(99)}`,
    "ก็".repeat(99)
  ])("what is stacked on a letter stays in its line: %#", (text) => assertWithin(text))

  it("only marks are left out", () => {
    assert.match(bounded(`Z${accents}a${dots}b`.normalize("NFC"), "regular"), /^Ź\u0301{0,2}ạ\u0323{0,2}b$/)
    assert.isAtMost(wrap(`Z${accents}`, { weight: "regular", size: 10 }, 60, 9).length, 1)
  })

  it.each(["Nguyễn Thị Ngọc Ánh", "Ọlá́", "Ṣọlá", "Ǭ́", "Ẫ́", "Ё́", "שָׁבֻ֔עַ", "مُحَمَّدٌ", "ผู้ใหญ่ป้ำ", "Z͎"])(
    "marks that belong to a name are printed: %s",
    (name) => {
      const text = name.normalize("NFC")
      assert.strictEqual(bounded(text, "bold"), text)
    }
  )

  it("what has no room is laid out a few times, however many marks get by with joiners", () => {
    const layouts = (text: string) => {
      const { font } = faceFor("regular", text)
      const { layout } = font
      let count = 0
      font.layout = (...args) => {
        count++
        return layout.apply(font, args)
      }
      assert.isBelow(bounded(text, "regular").length, text.length)
      font.layout = layout
      return count
    }
    for (const [letter, mark] of [
      ["a", "\u0301"],
      ["ཀ", "ྱ"]
    ] as const) {
      const stacked = (times: number) => letter + `${mark.repeat(8)}\u200d`.repeat(times)
      const few = layouts(stacked(3))
      assert.isAtMost(few, 10)
      assert.strictEqual(layouts(stacked(25)), few)
    }
  })

  it("letters that join without end break where a line does", () => {
    for (const text of ["क्".repeat(99), "ក្".repeat(99), "👩‍".repeat(99)]) {
      for (const { width } of wrap(text, { weight: "regular", size: 10 }, 130, 50))
        assert.isAtMost(width, 130)
    }
  })
})
