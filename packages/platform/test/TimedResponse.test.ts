/** Every request is heard of once: answered, or left by its client. */
import { createServer, get } from "node:http"
import type { AddressInfo } from "node:net"
import { afterEach, expect, test } from "vitest"
import { TimedResponse } from "../src/TimedResponse.ts"

const servers: Array<{ readonly close: () => void; readonly closeAllConnections: () => void }> = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** Calls `asked` for the first request, and resolves with what was heard of it. */
const heard = (asked: (response: TimedResponse) => void, afterHead: (leave: () => void) => void) =>
  new Promise<ReadonlyArray<{ readonly answered: boolean; readonly status: number }>>((resolve) => {
    const all: Array<{ answered: boolean; status: number }> = []
    const server = createServer({ ServerResponse: TimedResponse }, (_, response) => {
      response.observer = (_, { statusCode }, answered) => all.push({ answered, status: statusCode })
      response.on("close", () => resolve(all))
      asked(response)
      afterHead(() => client.destroy())
    })
    servers.push(server)
    let client: ReturnType<typeof get>
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      client = get({ port, host: "127.0.0.1" }, (response) => response.resume())
      client.on("error", () => {})
    })
  })

test("an answer is heard of once, with its status", async () => {
  const all = await heard(
    (response) => response.writeHead(404).end("no"),
    () => {}
  )
  expect(all).toEqual([{ answered: true, status: 404 }])
})

test("a client that leaves before its answer is heard of as one that was not answered", async () => {
  const all = await heard(
    () => {},
    (leave) => leave()
  )
  expect(all).toEqual([{ answered: false, status: 200 }])
})
