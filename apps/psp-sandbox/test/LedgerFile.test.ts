import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, FileSystem, Layer, Scope } from "effect"
import type { LedgerEvent } from "../src/LedgerEvent.ts"
import * as LedgerFile from "../src/LedgerFile.ts"

const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)

const delivered = (n: number): LedgerEvent => ({ type: "webhook.delivered", n, at: 1, webhook: `evt_${n}` })

const temporary = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  return `${yield* fs.makeTempDirectoryScoped()}/ledger.jsonl`
})

/** Opens the file in a scope of its own; `replayed` is what was in it, `write` waits for the disk. */
const opened = Effect.fnUntraced(function* (path: string) {
  const scope = yield* Scope.make()
  const replayed: Array<LedgerEvent> = []
  const file = yield* LedgerFile.open({
    path,
    replay: (event) => replayed.push(event),
    opened: () => ({ type: "ledger.opened", n: replayed.length + 1, at: 1 })
  }).pipe(Scope.provide(scope))
  const write = (event: LedgerEvent) =>
    Effect.callback<void>((resume) => {
      assert.isTrue(file.append(event, () => resume(Effect.void)))
    })
  return { file, replayed, write, close: Scope.close(scope, Exit.void) }
})

describe("LedgerFile", () => {
  it.effect("has on disk what it called durable, and replays it in order", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      const first = yield* opened(path)
      yield* Effect.all(
        [2, 3, 4, 5].map((n) => first.write(delivered(n))),
        { concurrency: "unbounded" }
      )
      // Not closed: a process that is killed does not close either.
      const second = yield* opened(path)
      assert.deepStrictEqual(
        second.replayed.map((event) => event.n),
        [1, 2, 3, 4, 5]
      )
      yield* second.close
      yield* first.close
    }).pipe(Effect.provide(platform))
  )

  it.effect("cuts a torn last line off, wherever it is torn", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* temporary
      const line = `${JSON.stringify(delivered(2))}\n`
      for (const torn of [
        line.slice(0, 1),
        line.slice(0, -1),
        `${line.slice(0, 20)}\n`,
        "\0\0\0\0\n",
        "\n"
      ]) {
        yield* fs.writeFileString(path, `{"type":"ledger.opened","n":1,"at":1}\n${torn}`)
        const file = yield* opened(path)
        assert.deepStrictEqual(file.replayed.length, 1, JSON.stringify(torn))
        yield* file.write(delivered(3))
        yield* file.close
        const again = yield* opened(path)
        assert.deepStrictEqual(
          again.replayed.map((event) => event.type),
          ["ledger.opened", "ledger.opened", "webhook.delivered"]
        )
        yield* again.close
      }
    }).pipe(Effect.provide(platform))
  )

  it.effect("does not open a file that is damaged in the middle", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = yield* temporary
      for (const after of [`${JSON.stringify(delivered(2))}\n`, `{"type`]) {
        yield* fs.writeFileString(path, `{"type":"ledger.opened","n":1,"at":1}\n{"type":"web\n${after}`)
        const error = yield* Effect.flip(opened(path))
        assert.strictEqual(error._tag === "LedgerFileError" ? error.reason : "", "Damaged")
      }
    }).pipe(Effect.provide(platform))
  )

  it.effect("is taken over by the later process: the earlier one stops and calls nothing durable", () =>
    Effect.gen(function* () {
      const path = yield* temporary
      const orphan = yield* opened(path)
      const successor = yield* opened(path)
      const durable = yield* Deferred.make<void>()
      orphan.file.append(delivered(2), () => Deferred.doneUnsafe(durable, Effect.void))
      const error = yield* Effect.flip(orphan.file.failed)
      assert.strictEqual(error.reason, "Contended")
      assert.isFalse(yield* Deferred.isDone(durable))
      assert.isTrue(orphan.file.isFull())
      yield* successor.write(delivered(3))
      yield* orphan.close
      yield* successor.close
    }).pipe(Effect.provide(platform))
  )

  it.effect("refuses more lines than may wait", () =>
    Effect.gen(function* () {
      const { file, close } = yield* opened(yield* temporary)
      let taken = 0
      while (file.append(delivered(taken + 2), () => {})) taken++
      assert.strictEqual(taken, 16_384)
      assert.isTrue(file.isFull())
      yield* close
    }).pipe(Effect.provide(platform))
  )
})
