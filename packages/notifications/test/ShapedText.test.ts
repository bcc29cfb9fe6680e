import { faceFor } from "@onsale/notifications/Fonts"
import { expect, test } from "vitest"

test("what one who drew did with a run is not seen by the next", () => {
  const { font } = faceFor("regular", "A")
  const first = font.layout("AVATAR")
  const width = first.advanceWidth
  const xs = first.positions.map(({ xAdvance }) => xAdvance)
  for (const position of first.positions) position.xAdvance *= 2
  expect(first.advanceWidth).toBe(2 * width)
  const again = font.layout("AVATAR")
  expect(again.positions.map(({ xAdvance }) => xAdvance)).toEqual(xs)
  expect(again.advanceWidth).toBe(width)
})

test("a text with features of its own is shaped with them, and does not become the text's plain form", () => {
  const { font } = faceFor("regular", "A")
  const width = font.layout("AVAVA").advanceWidth
  expect(font.layout("AVAVA", { kern: false }).advanceWidth).toBeGreaterThan(width)
  expect(font.layout("AVAVA").advanceWidth).toBe(width)
})
