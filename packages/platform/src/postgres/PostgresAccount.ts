/**
 * The operating system account that the server runs under.
 *
 * Postgres refuses to run as root. When we are not root it is simply ours. As root (a container, a fresh
 * machine) it runs as the owner of the existing data, else as the user `postgres`, who is created when
 * missing, through `setpriv` of util-linux, which every Debian has.
 */
import { Effect, FileSystem, Option, Path } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { EmbeddedPostgresError } from "./EmbeddedPostgresError.ts"

/** A uid and gid to switch to, and whether it must be let through directories that are closed to it. */
export interface PostgresAccount {
  readonly uid: number
  readonly gid: number
  /**
   * A clone below /root (mode 0700) can be entered by root only. The server then keeps the one capability
   * that ignores file permissions; it is a local server of root's, whose superuser only root knows.
   */
  readonly needsDacOverride: boolean
}

/** The command line that runs `program` as the account; unchanged when there is none to switch to. */
export const commandLine = (
  account: Option.Option<PostgresAccount>,
  program: string,
  args: ReadonlyArray<string>
): { readonly program: string; readonly args: ReadonlyArray<string> } =>
  Option.match(account, {
    onNone: () => ({ program, args }),
    onSome: ({ gid, needsDacOverride, uid }) => ({
      program: "setpriv",
      args: [
        `--reuid=${uid}`,
        `--regid=${gid}`,
        "--clear-groups",
        ...(needsDacOverride ? ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"] : []),
        "--",
        program,
        ...args
      ]
    })
  })

const userName = "postgres"

/** Whether every directory from the root down to `target` lets this user through. */
const canEnter = Effect.fnUntraced(function* (target: string, uid: number, gid: number) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (let at = target; ; at = path.dirname(at)) {
    const info = yield* fs.stat(at)
    const bits = Option.contains(info.uid, uid)
      ? info.mode >> 6
      : Option.contains(info.gid, gid)
        ? info.mode >> 3
        : info.mode
    if ((bits & 1) === 0) return false
    if (path.dirname(at) === at) return true
  }
})

const lookup = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const number = (flag: string) =>
    spawner
      .string(ChildProcess.make("id", [flag, userName], { stderr: "ignore" }))
      .pipe(Effect.map((text) => Number.parseInt(text, 10)))
  const [uid, gid] = yield* Effect.all([number("-u"), number("-g")])
  return Number.isInteger(uid) && Number.isInteger(gid) ? Option.some({ uid, gid }) : Option.none()
})

const create = Effect.gen(function* () {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  yield* spawner.exitCode(
    ChildProcess.make(
      "useradd",
      ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", userName],
      { stdout: "ignore", stderr: "ignore" }
    )
  )
  return yield* lookup
})

/**
 * Chooses the account for a data directory. `None` means: as we are.
 *
 * @param directory where the data is or will be; it exists
 * @param entered every directory the account has to get into (the data's parent, the binaries)
 */
export const resolve = Effect.fn("PostgresAccount.resolve")(
  function* (directory: string, data: string, entered: ReadonlyArray<string>) {
    if (process.getuid?.() !== 0) return Option.none<PostgresAccount>()
    const fs = yield* FileSystem.FileSystem
    const owner = yield* fs.stat(data).pipe(
      Effect.map((info) =>
        Option.filter(Option.all({ uid: info.uid, gid: info.gid }), ({ uid }) => uid !== 0)
      ),
      Effect.orElseSucceed(() => Option.none<{ readonly uid: number; readonly gid: number }>())
    )
    const found = Option.isSome(owner) ? owner : yield* lookup
    const user = Option.isSome(found) ? found : yield* create
    if (Option.isNone(user)) {
      return yield* new EmbeddedPostgresError({
        reason: "NotPermitted",
        directory,
        message: `Postgres does not run as root, and the user ${userName} could not be created: run as another user, or set ONSALE_DATABASE_URL`
      })
    }
    const { gid, uid } = user.value
    const open = yield* Effect.forEach(entered, (target) => canEnter(target, uid, gid))
    return Option.some<PostgresAccount>({ uid, gid, needsDacOverride: open.includes(false) })
  },
  (effect, directory) =>
    Effect.catchTag(effect, "PlatformError", (cause) =>
      Effect.fail(
        new EmbeddedPostgresError({
          reason: "NotPermitted",
          directory,
          message: `cannot find an account to run Postgres for ${directory}: ${cause.message}`,
          cause
        })
      )
    )
)
