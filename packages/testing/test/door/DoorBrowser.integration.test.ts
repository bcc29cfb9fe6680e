/** The door's library as a browser gets it: bundled, without anything of Node's, by Web Crypto or without its Ed25519. */
import { assert, describe, it } from "@effect/vitest"
import { decode, encode } from "@onsale/notifications/Base32"
import { TicketCodes } from "@onsale/notifications/TicketCode"
import { Effect, Layer } from "effect"
import { execFile } from "node:child_process"
import { webcrypto } from "node:crypto"
import { existsSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { createContext, runInContext } from "node:vm"
import { gzipSync } from "node:zlib"
import { build } from "rolldown"
import type { DoorCase, DoorResult } from "./DoorPageMain.ts"
import { codeOf, layer, makeJws, makeTicketId, nowMs } from "./DoorWorld.ts"

const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync)

/** What the library may grow to before somebody has to think: a gate's page loads over a stadium's network. */
const maxGzipBytes = 10 * 1024

/** The page as one script that sets `door`. */
const bundled = Effect.promise(async () => {
  const { output } = await build({
    input: join(import.meta.dirname, "DoorPageMain.ts"),
    platform: "browser",
    write: false,
    output: { format: "iife", name: "door", minify: true, codeSplitting: false }
  })
  assert.strictEqual(output.length, 1)
  assert.deepStrictEqual(output[0].imports, [])
  return output[0].code
})

const makeCase = Effect.gen(function* () {
  const codes = yield* TicketCodes
  const [good, refunded, reissued, inside] = [makeTicketId(), makeTicketId(), makeTicketId(), makeTicketId()]
  const facts = {
    refunded: [refunded],
    reissued: [[reissued, 2]] as const,
    gates: ["East"],
    admitted: [[inside, nowMs, 0]] as const
  }
  const code = yield* codeOf(good)
  const bytes = decode(code)
  assert.isDefined(bytes)
  bytes[60] = (bytes[60] ?? 0) ^ 4
  const doorCase: DoorCase = {
    jws: yield* makeJws(facts),
    trustedKeys: yield* codes.doorKeys,
    codes: [
      code,
      code,
      encode(bytes),
      yield* codeOf(refunded),
      yield* codeOf(reissued, 1),
      yield* codeOf(reissued, 2),
      yield* codeOf(inside)
    ],
    untrusted: yield* Effect.provide(makeJws(facts), Layer.fresh(layer)),
    now: nowMs
  }
  return doorCase
}).pipe(Effect.provide(layer))

const expected: DoorResult = {
  verdicts: ["admitted", "used", "forged", "cancelled", "cancelled", "admitted", "used"],
  refused: "untrusted",
  pending: 2
}

/** Nothing is there but what a browser has too. */
const runIn = (script: string, doorCase: DoorCase, crypto: object) =>
  Effect.promise(async () => {
    const context = createContext({ crypto, TextEncoder, TextDecoder, atob, btoa })
    runInContext(script, context)
    const json: unknown = await runInContext(
      `door.run(${JSON.stringify(doorCase)}).then((result) => JSON.stringify(result))`,
      context
    )
    return JSON.parse(String(json))
  })

/** As of a browser that has no Ed25519 yet. */
const older = {
  getRandomValues: (bytes: Uint8Array<ArrayBuffer>) => webcrypto.getRandomValues(bytes),
  subtle: {
    digest: (name: string, data: ArrayBuffer) => webcrypto.subtle.digest(name, data),
    importKey: () => Promise.reject(new DOMException("Unrecognized name.", "NotSupportedError"))
  }
}

describe("The door's library in a browser", () => {
  it.effect("is one small script with nothing of Node's in it", () =>
    Effect.gen(function* () {
      const script = yield* bundled
      assert.notMatch(script, /node:|\brequire\(|\bprocess\.|\bBuffer\b/)
      const { length } = gzipSync(script)
      yield* Effect.logInfo(`${script.length} bytes, ${length} compressed`)
      assert.isBelow(length, maxGzipBytes)
    })
  )

  it.effect.each([
    ["with the Ed25519 of Web Crypto", webcrypto],
    ["without it", older]
  ] as const)("judges codes %s", ([, crypto]) =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* runIn(yield* bundled, yield* makeCase, crypto), expected)
    })
  )

  it.live.skipIf(chromium === undefined)("judges codes in a browser", () =>
    Effect.gen(function* () {
      const script = yield* bundled
      const doorCase = yield* makeCase
      const directory = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "onsale-door-"))),
        (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }))
      )
      const page = join(directory, "door.html")
      const say = `document.body.textContent = JSON.stringify(await door.run(${JSON.stringify(doorCase)}))`
      const html = `<!doctype html><body></body><script>${script}</script><script type="module">${say}</script>`
      yield* Effect.promise(() => writeFile(page, html))
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(
          chromium ?? "",
          [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            `--user-data-dir=${join(directory, "profile")}`,
            "--dump-dom",
            `file://${page}`
          ],
          { timeout: 60_000 }
        )
      )
      const body = /<body>(.*?)(?:<script|<\/body>)/s.exec(stdout)?.[1] ?? ""
      assert.deepStrictEqual(JSON.parse(body), expected, stdout.slice(-500))
    })
  )
})
