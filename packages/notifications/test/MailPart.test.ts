import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { createTransport } from "nodemailer"
import * as MailPart from "../src/MailPart.ts"

const written = (attachments: ReadonlyArray<Record<string, unknown>>) =>
  Effect.promise(async () => {
    const transport = createTransport({ streamTransport: true, buffer: true })
    const { message } = await transport.sendMail({
      from: "tickets@onsale.example",
      to: "buyer@example.org",
      messageId: "<one@onsale.example>",
      date: new Date(0),
      text: "words",
      baseBoundary: "boundary",
      attachments: [...attachments]
    })
    return message.toString("latin1")
  })

const bytes = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 31) % 256))

describe("MailPart", () => {
  it.effect.each([
    ["tickets.pdf", "application/pdf", 30_000],
    ["event.ics", "text/calendar; charset=utf-8; method=PUBLISH", 700],
    // Ends with a line, one byte before and one behind it.
    ["tickets.pdf", "application/pdf", 57],
    ["tickets.pdf", "application/pdf", 56],
    ["tickets.pdf", "application/pdf", 58],
    ["tickets.pdf", "application/pdf", 0],
    ["Tickets für Łukasz.pdf", "application/pdf", 100]
  ] as const)("%s of %s, %i bytes, is written as nodemailer writes it", ([filename, contentType, length]) =>
    Effect.gen(function* () {
      const content = bytes(length)
      assert.strictEqual(
        yield* written([MailPart.of({ filename, contentType, content })]),
        yield* written([{ filename, contentType, content }])
      )
    })
  )

  it("what has a plain name is given whole", () => {
    assert.property(
      MailPart.of({ filename: "tickets.pdf", contentType: "application/pdf", content: bytes(9) }),
      "raw"
    )
  })
})
