import { assert, describe, it } from "@effect/vitest"
import { serialization } from "../src/rpc/RpcWire.ts"

const wire = () => serialization.makeUnsafe()
const line = (message: unknown): string => `${JSON.stringify(message)}\n`
const request = { _tag: "Request", id: "1", tag: "GetEvent", payload: {}, headers: [["a", "b"]] }

describe("RpcWire", () => {
  it("takes what a client of the library sends, in whatever packets it comes", () => {
    const sent = [request, { _tag: "Ack", requestId: "1" }, { _tag: "Ping" }, { _tag: "Eof" }]
    const text = sent.map(line).join("")
    const parser = wire()
    assert.deepStrictEqual(
      [text.slice(0, 25), text.slice(25)].flatMap((part) => parser.decode(part)),
      sent
    )
  })

  const malformed: ReadonlyArray<unknown> = [
    null,
    7,
    "text",
    [],
    {},
    { _tag: "Chunk" },
    { ...request, id: {} },
    { ...request, id: "x".repeat(101) },
    { ...request, tag: 7 },
    { ...request, headers: 7 },
    { ...request, headers: [["a"]] },
    { ...request, headers: [["a", 7]] },
    { ...request, traceId: 7 },
    { _tag: "Ack" },
    { _tag: "Interrupt", requestId: null }
  ]
  for (const message of malformed) {
    it(`refuses ${JSON.stringify(message).slice(0, 60)}`, () => {
      assert.throws(() => wire().decode(line(message)))
    })
  }

  it("refuses a message that does not end", () => {
    assert.throws(() => wire().decode("x".repeat(64 * 1024 + 1)))
  })

  const secret = "password=hunter2 at /srv/onsale/packages/booking/src/Orders.ts:7"
  const defects: ReadonlyArray<unknown> = [
    { name: "Error", message: secret, stack: secret },
    { message: secret },
    `Failed to encode response for RPC "GetOrder": ${secret}`,
    [secret]
  ]
  for (const defect of defects) {
    it(`says nothing of a defect such as ${JSON.stringify(defect).slice(0, 40)}`, () => {
      const told = [
        wire().encode({ _tag: "Defect", defect }),
        wire().encode({
          _tag: "Exit",
          requestId: "1",
          exit: { _tag: "Failure", cause: [{ _tag: "Die", defect }] }
        }),
        wire().encode([{ _tag: "Defect", defect }])
      ]
      for (const text of told) assert.notInclude(String(text), "hunter2")
    })
  }

  it("tells typed failures and what a request lacks as they are", () => {
    const cause = [
      { _tag: "Fail", error: { type: "urn:onsale:problem:event-not-found" } },
      { _tag: "Die", defect: 'Missing key at ["eventId"]' }
    ]
    const message = { _tag: "Exit", requestId: "1", exit: { _tag: "Failure", cause } }
    assert.strictEqual(wire().encode(message), line(message))
  })
})
