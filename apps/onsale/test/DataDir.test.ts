import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Layer, Redacted } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as DataDir from "../src/DataDir.ts"
import { organiserKey } from "../src/OrganiserKey.ts"

const services = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, SecureRandom.layerWebCrypto)

/** Runs over a data directory of its own; `keys` is where its keys are. */
const inDirectory = <A, E, R>(
  body: (keys: string) => Effect.Effect<A, E, R>,
  configured: Record<string, string> = {}
) =>
  Effect.gen(function* () {
    const directory = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
    const provider = ConfigProvider.fromUnknown({ ONSALE_DATA_DIR: directory, ...configured })
    return yield* body(`${directory}/keys`).pipe(
      Effect.provideService(ConfigProvider.ConfigProvider, provider)
    )
  })

describe("DataDir", () => {
  layer(services)((it) => {
    it.effect("makes a key once, for its owner only, and leaves nothing beside it", () =>
      inDirectory(
        Effect.fnUntraced(function* (keys) {
          const fs = yield* FileSystem.FileSystem
          const first = yield* DataDir.key("organiser")
          const second = yield* DataDir.key("organiser")
          assert.deepStrictEqual([first.made, second.made], [true, false])
          assert.strictEqual(Redacted.value(first.value), Redacted.value(second.value))
          assert.deepStrictEqual(yield* fs.readDirectory(keys), ["organiser"])
          assert.strictEqual((yield* fs.stat(`${keys}/organiser`)).mode & 0o777, 0o600)
        })
      )
    )

    it.effect("a file that is blank or cut off is no key", () =>
      inDirectory(
        Effect.fnUntraced(function* (keys) {
          const fs = yield* FileSystem.FileSystem
          yield* fs.makeDirectory(keys, { recursive: true })
          for (const content of ["", "\n", "organiser_Ab"]) {
            yield* fs.writeFileString(`${keys}/organiser`, content)
            const error = yield* Effect.flip(DataDir.key("organiser"))
            assert.strictEqual(error._tag, "KeyFileError", JSON.stringify(content))
          }
        })
      )
    )

    it.effect("what breaks off before the key is whole leaves none: the next start makes one", () =>
      inDirectory(
        Effect.fnUntraced(function* () {
          const fs = yield* FileSystem.FileSystem
          const broken = { ...fs, link: () => Effect.die("broken"), remove: () => Effect.void }
          yield* Effect.exit(Effect.provideService(DataDir.key("organiser"), FileSystem.FileSystem, broken))
          const { made, value } = yield* DataDir.key("organiser")
          assert.isTrue(made)
          assert.isAtLeast(Redacted.value(value).length, DataDir.shortestKey)
        })
      )
    )

    it.effect("two that start at once have the same key", () =>
      inDirectory(
        Effect.fnUntraced(function* () {
          const keys = yield* Effect.forEach([1, 2, 3, 4], () => DataDir.key("organiser"), {
            concurrency: "unbounded"
          })
          assert.strictEqual(new Set(keys.map(({ value }) => Redacted.value(value))).size, 1)
          assert.lengthOf(
            keys.filter(({ made }) => made),
            1
          )
        })
      )
    )

    it.effect("a blank organiser's key is refused, a short one taken", () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(inDirectory(() => organiserKey, { ONSALE_ORGANISER_KEY: " " }))
        assert.strictEqual(error._tag, "OrganiserKeyBlank")
        const { value } = yield* inDirectory(() => organiserKey, { ONSALE_ORGANISER_KEY: "short" })
        assert.strictEqual(Redacted.value(value), "short")
      })
    )
  })
})
