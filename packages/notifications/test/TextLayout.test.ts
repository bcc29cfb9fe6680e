import { assert, describe, it } from "@effect/vitest"
import { line, plain, wrap } from "../src/TextLayout.ts"

const style = { weight: "regular", size: 10 } as const
const textOf = (lines: ReturnType<typeof wrap>) =>
  lines.map(({ runs }) => runs.map(({ text }) => text).join(""))

describe("TextLayout", () => {
  it("has a face with a glyph for every script", () => {
    for (const text of [
      "Łódź",
      "Ελλάδα",
      "Москва",
      "हिन्दी",
      "עברית",
      "العربية",
      "日本語",
      "한국어",
      "ไทย",
      "தமிழ்",
      "ትግርኛ",
      "ქართული"
    ]) {
      for (const { face, text: part } of line(text, style).runs) {
        const glyphs = face.font.layout(part).glyphs
        assert.isFalse(
          glyphs.some(({ id }) => id === 0),
          `${text} in ${face.name}`
        )
      }
    }
  })

  it("prints Chinese, Japanese, Korean and Thai in a typeface of two weights", () => {
    for (const text of ["北京交响乐团", "臺北愛樂", "東京ジャズ", "서울", "ไทย"]) {
      const [regular, bold] = (["regular", "bold"] as const).map(
        (weight) => line(text, { weight, size: 10 }).runs
      )
      for (const [index, { face, text: part }] of (regular ?? []).entries()) {
        assert.notInclude(face.name, "unifontex", text)
        const outline = (one: typeof face | undefined) => one?.font.layout(part).glyphs[0]?.path.toSVG()
        assert.notStrictEqual(outline(face), outline(bold?.[index]?.face), text)
      }
    }
  })

  it("no line is wider than it may be, and nothing is lost", () => {
    const text =
      "The Extraordinarily Long Farewell Anniversary-World-Tour Supercalifragilisticexpialidocious 東京ジャズフェスティバル"
    const lines = wrap(text, style, 90, 50)
    for (const { width } of lines) assert.isAtMost(width, 90)
    assert.strictEqual(textOf(lines).join("").replaceAll(" ", ""), text.replaceAll(" ", ""))
  })

  it("breaks between words where it can", () => {
    assert.deepStrictEqual(textOf(wrap("one two three", style, line("one two", style).width + 1, 5)), [
      "one two",
      "three"
    ])
  })

  it("what has no room ends in an ellipsis", () => {
    const lines = wrap("one two three four five", style, 40, 2)
    assert.strictEqual(lines.length, 2)
    assert.match(textOf(lines)[1] ?? "", /…$/)
    assert.isAtMost(lines[1]?.width ?? 0, 40)
  })

  it("puts right-to-left runs in visual order, with brackets mirrored", () => {
    assert.deepStrictEqual(
      line("שלום (Jazz 2026) עולם", style).runs.map(({ text }) => text.trim()),
      ["עולם", "(", "Jazz 2026", ")", "שלום"]
    )
  })

  it("drops what would turn or break a line", () => {
    assert.strictEqual(plain("a\r\nb\u202ec\u0000 \u2066d\u2069"), "a bc d")
  })
})
