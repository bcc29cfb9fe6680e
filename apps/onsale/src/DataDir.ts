/** What the process keeps in its data directory beside the database: keys that it made itself. */
import { Config, Effect, FileSystem, Path, Redacted, Schema } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"

export const dataDir = Config.NonEmptyString("ONSALE_DATA_DIR").pipe(Config.withDefault(".onsale"))

/** A key of ours cannot be read or written, or is none. */
export class KeyFileError extends Schema.TaggedError<KeyFileError>()("KeyFileError", {
  message: Schema.String,
  cause: Schema.optionalKey(Schema.Defect())
}) {}

/** Characters. Ours are longer: what is shorter was written half, or by somebody whose key can be guessed. */
export const shortestKey = 16

const read = Effect.fnUntraced(function* (file: string) {
  const fs = yield* FileSystem.FileSystem
  const value = (yield* fs.readFileString(file)).trim()
  if (value.length < shortestKey) {
    return yield* new KeyFileError({
      message: `the key in ${file} has ${value.length} characters, which is no key of ours: remove the file, and the next start makes a new one`
    })
  }
  return { value: Redacted.make(value), made: false, file }
})

/** The file is there whole or not at all: it gets its name when its content is on the disk. */
const write = Effect.fnUntraced(function* (name: string, file: string) {
  const fs = yield* FileSystem.FileSystem
  const random = yield* SecureRandom.SecureRandom
  const bytes = yield* random.randomBytes(24)
  const value = `${name}_${Buffer.from(bytes).toString("base64url")}`
  const draft = `${file}.${Buffer.from(yield* random.randomBytes(6)).toString("hex")}.draft`
  const remove = Effect.ignore(fs.remove(draft, { force: true }))
  return yield* Effect.gen(function* () {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const opened = yield* fs.open(draft, { flag: "wx", mode: 0o600 })
        yield* opened.writeAll(Buffer.from(`${value}\n`))
        yield* opened.sync
      })
    )
    // Unlike a rename it never replaces the key of somebody who was faster: theirs is the one, then.
    const ours = yield* fs.link(draft, file).pipe(
      Effect.as(true),
      Effect.catchIf(
        (error) => error.reason._tag === "AlreadyExists",
        () => Effect.succeed(false)
      )
    )
    return ours ? { value: Redacted.make(value), made: true, file } : yield* read(file)
  }).pipe(Effect.ensuring(remove))
})

/**
 * The key of that name; made and stored, readable by the owner only, where there is none yet.
 * `made` is true only then.
 */
export const key = Effect.fn("DataDir.key")(
  function* (name: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const directory = path.join(yield* dataDir, "keys")
    const file = path.join(directory, name)
    if (yield* fs.exists(file)) return yield* read(file)
    yield* fs.makeDirectory(directory, { recursive: true, mode: 0o700 })
    return yield* write(name, file)
  },
  Effect.catchTag("PlatformError", (cause) =>
    Effect.fail(
      new KeyFileError({
        message: `a key in the data directory cannot be read or written: ${cause.message}`,
        cause
      })
    )
  )
)
